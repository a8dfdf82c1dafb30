/// Which tensors of a pickle are the weights, by name.
///
/// The rule, which begins at the outermost dictionary:
/// 1. The first of its members `model`, `state_dict`, `model_state_dict`, `module` and `weights` that
///    is a dictionary with tensors. It comes before tensors beside it, which are a generator's state
///    and the like.
/// 2. Else the dictionary's own tensors.
/// 3. Else the same rule within those members, in the same order, where they hold no tensors
///    themselves.
/// 4. Else its only member that is a dictionary with tensors.
/// 5. Else the same rule within its only member that is a dictionary.
///
/// The names of the dictionaries on the way are left out. Tensors elsewhere (an optimiser's, a
/// list's) are not weights.
struct WeightSelection {
  static let preferredMembers = ["model", "state_dict", "model_state_dict", "module", "weights"]
  /// How many dictionaries may lie in one another above the weights.
  static let maximumDepth = 4

  let tensors: [String: PickledTensor]

  /// - Throws: `WeightFileError.noTensors`, `.severalModels` or `.damagedHeader`.
  init(_ outermost: PickleValue, in objects: PickleObjects, file: String) throws {
    guard case .dictionary(let index) = outermost else {
      throw WeightFileError.noTensors(file: file, found: outermost.kind)
    }
    var search = WeightSearch(objects: objects, file: file)
    guard let found = try search.weights(within: index, depth: 0) else {
      throw WeightFileError.noTensors(file: file, found: "a dictionary without any")
    }
    tensors = try search.tensors(of: found)
  }
}

/// The way to the dictionary that holds the weights.
private struct WeightSearch {
  let objects: PickleObjects
  let file: String
  /// A dictionary may be a member of many, or of itself; each is looked into once.
  private var visited: Set<UInt32> = []

  init(objects: PickleObjects, file: String) {
    self.objects = objects
    self.file = file
  }

  private func holdsTensors(_ dictionary: UInt32) -> Bool {
    objects.dictionaries[Int(dictionary)].holdsTensors
  }

  /// The dictionary of weights at or below one, by the rule of `WeightSelection`.
  mutating func weights(within dictionary: UInt32, depth: Int) throws -> UInt32? {
    guard depth < WeightSelection.maximumDepth, visited.insert(dictionary).inserted else {
      return nil
    }
    let members = try dictionaries(in: dictionary)
    let preferred = WeightSelection.preferredMembers.compactMap { members[$0] }
    if let direct = preferred.first(where: holdsTensors) { return direct }
    if holdsTensors(dictionary) { return dictionary }
    for member in preferred {
      if let inner = try weights(within: member, depth: depth + 1) { return inner }
    }
    let candidates = members.filter { holdsTensors($0.value) }
    guard candidates.count <= 1 else {
      throw WeightFileError.severalModels(file: file, members: candidates.keys.sorted())
    }
    if let only = candidates.first?.value { return only }
    guard members.count == 1, let only = members.first?.value else { return nil }
    return try weights(within: only, depth: depth + 1)
  }

  /// The members that are dictionaries, by name.
  private func dictionaries(in dictionary: UInt32) throws -> [String: UInt32] {
    var members: [String: UInt32] = [:]
    for (key, value) in objects.dictionaries[Int(dictionary)].members {
      guard case .dictionary(let inner) = value else { continue }
      let name = try name(key)
      guard members.updateValue(inner, forKey: name) == nil else { throw twice(name) }
    }
    return members
  }

  func tensors(of dictionary: UInt32) throws -> [String: PickledTensor] {
    var tensors: [String: PickledTensor] = [:]
    for (key, value) in objects.dictionaries[Int(dictionary)].members {
      guard case .tensor(let index) = value else { continue }
      let name = try name(key)
      guard tensors.updateValue(objects.tensors[Int(index)], forKey: name) == nil else {
        throw twice(name)
      }
      guard tensors.count <= ZipDirectory.maximumEntryCount else {
        throw WeightFileError.damagedHeader(
          file: file, expected: "at most \(ZipDirectory.maximumEntryCount) tensors", found: "more")
      }
    }
    return tensors
  }

  private func twice(_ name: String) -> WeightFileError {
    .damagedHeader(file: file, expected: "distinct names", found: "\(name) twice")
  }

  private func name(_ key: PickleText) throws -> String {
    guard let name = objects.name(key) else {
      throw WeightFileError.damagedHeader(
        file: file,
        expected: "names in UTF-8 of at most \(PickleObjects.maximumNameLength) bytes",
        found: "other bytes")
    }
    return name
  }
}
