import Foundation
import PublicFormats
import Tensors
import TestSupport
import WeightFiles

@testable import VisionEncoders

/// A public folder of a tiny encoder, which a test may damage.
struct EncoderFolder {
  let folder: TemporaryFolder

  init(_ kind: TinyEncoder) throws { try self.init(kind.made) }

  /// Writes an encoder as a public folder.
  init(_ encoder: any VisionEncoder) throws {
    folder = try TemporaryFolder()
    try encoder.write(to: folder.url, precision: .float32)
    let count = try SafetensorsFile(weights).names.count
    precondition(count == encoder.namedParameters.count, "two parameters share a name")
  }

  var url: URL { folder.url }
  var weights: URL { url.appendingPathComponent("model.safetensors") }

  static let prefix = "vision_model."

  /// Puts the encoder into a whole model: its sizes into `vision_config`, its weights, where they are
  /// not yet so, beneath `vision_model.`.
  func putIntoWholeModel(_ type: String) throws {
    let file = url.appendingPathComponent("config.json")
    let vision = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
    let whole: [String: Any] = ["model_type": type, "vision_config": vision, "hidden_size": 7]
    try JSONSerialization.data(withJSONObject: whole).write(to: file)
    try rewriteWeights { tensors in
      let named = tensors.map { name, tensor in
        (name.hasPrefix(Self.prefix) ? name : Self.prefix + name, tensor)
      }
      tensors = Dictionary(uniqueKeysWithValues: named)
    }
  }

  /// Changes keys of `config.json`, or of a section of it; nil removes one.
  func configure(_ changes: [String: Any?], in section: String? = nil) throws {
    let file = url.appendingPathComponent("config.json")
    var object =
      try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any] ?? [:]
    var inner = section.map { object[$0] as? [String: Any] ?? [:] } ?? object
    for (key, value) in changes { inner[key] = value }
    if let section { object[section] = inner } else { object = inner }
    try JSONSerialization.data(withJSONObject: object).write(to: file)
  }

  /// Writes the weights anew after a change.
  func rewriteWeights(_ change: (inout [String: WrittenTensor]) throws -> Void) throws {
    let stored = try SafetensorsFile(weights)
    var tensors: [String: WrittenTensor] = [:]
    for name in stored.names {
      let tensor = try stored.tensor(named: name)
      tensors[name] = .init(shape: tensor.shape, values: try tensor.floats())
    }
    try change(&tensors)
    try SafetensorsWriter.write(tensors, to: weights)
  }
}

/// What an operation throws, in words; nil if it throws nothing.
func message(of body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return String(describing: error)
  }
}
