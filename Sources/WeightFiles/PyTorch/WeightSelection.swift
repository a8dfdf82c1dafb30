/// Which tensors of a pickle are the weights, by name.
///
/// The rule: where the outermost dictionary holds tensors itself, these are the weights. Otherwise
/// one of its members is, and its own name is left out: the first of `model`, `state_dict`,
/// `model_state_dict`, `module` and `weights` that is a dictionary with tensors, or else the only such
/// member. Tensors elsewhere (an optimiser's, a list's) are not weights.
struct WeightSelection {
  static let preferredMembers = ["model", "state_dict", "model_state_dict", "module", "weights"]

  let tensors: [String: PickledTensor]

  /// - Throws: `WeightFileError.noTensors`, `.severalModels` or `.damagedHeader`.
  init(_ outermost: PickleValue, in objects: PickleObjects, file: String) throws {
    guard case .dictionary(let index) = outermost else {
      throw WeightFileError.noTensors(file: file, found: outermost.kind)
    }
    let own = try Self.tensors(of: index, in: objects, file: file)
    guard own.isEmpty else {
      tensors = own
      return
    }
    let member = try Self.member(of: index, in: objects, file: file)
    tensors = try Self.tensors(of: member, in: objects, file: file)
  }

  private static func member(
    of outermost: UInt32, in objects: PickleObjects, file: String
  ) throws -> UInt32 {
    var candidates: [String: UInt32] = [:]
    for (key, value) in objects.dictionaries[Int(outermost)].members {
      guard case .dictionary(let inner) = value, objects.dictionaries[Int(inner)].holdsTensors
      else { continue }
      let name = try name(key, in: objects, file: file)
      guard candidates.updateValue(inner, forKey: name) == nil else {
        throw twice(name, file: file)
      }
    }
    if let preferred = preferredMembers.lazy.compactMap({ candidates[$0] }).first {
      return preferred
    }
    guard let only = candidates.first?.value else {
      throw WeightFileError.noTensors(file: file, found: "a dictionary without any")
    }
    guard candidates.count == 1 else {
      throw WeightFileError.severalModels(file: file, members: candidates.keys.sorted())
    }
    return only
  }

  private static func tensors(
    of dictionary: UInt32, in objects: PickleObjects, file: String
  ) throws -> [String: PickledTensor] {
    var tensors: [String: PickledTensor] = [:]
    for (key, value) in objects.dictionaries[Int(dictionary)].members {
      guard case .tensor(let index) = value else { continue }
      let name = try name(key, in: objects, file: file)
      guard tensors.updateValue(objects.tensors[Int(index)], forKey: name) == nil else {
        throw twice(name, file: file)
      }
      guard tensors.count <= ZipDirectory.maximumEntryCount else {
        throw WeightFileError.damagedHeader(
          file: file, expected: "at most \(ZipDirectory.maximumEntryCount) tensors", found: "more")
      }
    }
    return tensors
  }

  private static func twice(_ name: String, file: String) -> WeightFileError {
    .damagedHeader(file: file, expected: "distinct names", found: "\(name) twice")
  }

  private static func name(
    _ key: PickleText, in objects: PickleObjects, file: String
  ) throws -> String {
    guard let name = objects.name(key) else {
      throw WeightFileError.damagedHeader(
        file: file,
        expected: "names in UTF-8 of at most \(PickleObjects.maximumNameLength) bytes",
        found: "other bytes")
    }
    return name
  }
}
