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

  private let objects: PickleObjects
  /// A dictionary may be a member of many, or of itself; each is looked into once.
  private var visited: Set<UInt32> = []

  init(_ objects: PickleObjects) { self.objects = objects }

  /// The weights by name.
  /// - Throws: `FormatProblem`.
  mutating func tensors(within outermost: PickleValue) throws -> [String: PickledTensor] {
    guard case .dictionary(let index) = outermost else {
      throw noTensors(outermost.kind)
    }
    guard let found = try weights(within: index, depth: 0) else {
      throw noTensors("a dictionary without any")
    }
    let tensors = try members(of: found) { value in
      if case .tensor(let index) = value { objects.tensors[Int(index)] } else { nil }
    }
    guard tensors.count <= ZipDirectory.maximumEntryCount else {
      throw damaged("at most \(ZipDirectory.maximumEntryCount) tensors", "more")
    }
    return tensors
  }

  private func noTensors(_ found: String) -> FormatProblem {
    FormatProblem(
      expected: "a dictionary of tensors", found: found, remedy: "save the model's state_dict()")
  }

  private func holdsTensors(_ dictionary: UInt32) -> Bool {
    objects.dictionaries[Int(dictionary)].holdsTensors
  }

  /// The dictionary of weights at or below one.
  private mutating func weights(within dictionary: UInt32, depth: Int) throws -> UInt32? {
    guard depth < Self.maximumDepth, visited.insert(dictionary).inserted else { return nil }
    let inner = try members(of: dictionary) { value in
      if case .dictionary(let index) = value { index } else { nil }
    }
    let preferred = Self.preferredMembers.compactMap { inner[$0] }
    if let direct = preferred.first(where: holdsTensors) { return direct }
    if holdsTensors(dictionary) { return dictionary }
    for member in preferred {
      if let found = try weights(within: member, depth: depth + 1) { return found }
    }
    let candidates = inner.filter { holdsTensors($0.value) }
    guard candidates.count <= 1 else {
      throw FormatProblem(
        expected: "one dictionary of tensors",
        found: candidates.keys.sorted().prefix(8).joined(separator: ", "),
        remedy: "save the one that is wanted by itself")
    }
    if let only = candidates.first?.value { return only }
    guard inner.count == 1, let only = inner.first?.value else { return nil }
    return try weights(within: only, depth: depth + 1)
  }

  /// The members of a dictionary that `pick` takes, by name.
  private func members<Member>(
    of dictionary: UInt32, _ pick: (PickleValue) -> Member?
  ) throws -> [String: Member] {
    var members: [String: Member] = [:]
    for (key, value) in objects.dictionaries[Int(dictionary)].members {
      guard let member = pick(value) else { continue }
      guard let name = objects.name(key) else {
        throw damaged(
          "names in UTF-8 of at most \(PickleObjects.maximumNameLength) bytes", "other bytes")
      }
      guard members.updateValue(member, forKey: name) == nil else {
        throw damaged("distinct names", "\(name) twice")
      }
    }
    return members
  }
}
