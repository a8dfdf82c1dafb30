import Foundation
import Tensors
import TestSupport
import WeightFiles

@testable import VisionEncoders

/// A copy of a golden encoder's folder that a test may damage.
struct EncoderFolder {
  let folder: TemporaryFolder

  init(_ golden: String) throws {
    try self.init(copyOf: Goldens.folder.appendingPathComponent(golden))
  }

  init(copyOf source: URL) throws {
    folder = try TemporaryFolder()
    for name in ["config.json", "model.safetensors"] {
      try folder.copy(source.appendingPathComponent(name))
    }
  }

  var url: URL { folder.url }

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
  func rewriteWeights(
    _ change: (inout [String: SafetensorsWriter.Tensor]) -> Void
  ) throws {
    let file = url.appendingPathComponent("model.safetensors")
    let stored = try SafetensorsFile(file)
    var tensors: [String: SafetensorsWriter.Tensor] = [:]
    for name in stored.names {
      let tensor = try stored.tensor(named: name)
      tensors[name] = .init(shape: tensor.shape, values: try tensor.floats())
    }
    change(&tensors)
    try SafetensorsWriter.write(tensors, to: file)
  }

  /// Writes the weights as bfloat16, cut to their upper halves, which the writer does not offer.
  func rewriteWeightsAsBFloat16() throws {
    let file = url.appendingPathComponent("model.safetensors")
    let stored = try SafetensorsFile(file)
    var header: [String: Any] = [:]
    var bytes = Data()
    for name in stored.names {
      let tensor = try stored.tensor(named: name)
      let start = bytes.count
      for value in try tensor.floats() {
        withUnsafeBytes(of: UInt16(value.bitPattern >> 16).littleEndian) {
          bytes.append(contentsOf: $0)
        }
      }
      header[name] = [
        "dtype": "BF16", "shape": tensor.shape, "data_offsets": [start, bytes.count],
      ]
    }
    let text = try JSONSerialization.data(withJSONObject: header)
    var result = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Data($0) }
    result += text + bytes
    try result.write(to: file)
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
