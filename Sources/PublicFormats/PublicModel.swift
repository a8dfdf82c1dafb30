import Files
import Foundation
import Layers
import WeightFiles

/// A model that public folders hold: `config.json` and weights.
public protocol PublicModel: Module {
  /// How files hold its parameters.
  var publicFormat: PublicFormat { get }
  /// The public format's `config.json`.
  var publicConfiguration: [String: Any] { get }
}

extension PublicModel {
  /// Writes `config.json` and `model.safetensors`.
  /// - Parameter settings: Further keys of `config.json`.
  public func write(
    to folder: URL, precision: WrittenTensor.Precision, settings: [String: Any] = [:]
  ) throws {
    try SafetensorsWriter.write(
      publicFormat.tensors(of: namedParameters, precision: precision), metadata: ["format": "pt"],
      to: folder.appendingPathComponent("model.safetensors"))
    try PublicFolder.write(
      publicConfiguration.merging(settings) { $1 }, to: folder.appendingPathComponent("config.json")
    )
  }
}

/// A folder that other programs read.
public enum PublicFolder {
  /// Writes a JSON file, its keys sorted.
  /// - Throws: `SystemFailure`.
  public static func write(_ object: [String: Any], to url: URL) throws {
    let data = try JSONSerialization.data(
      withJSONObject: object, options: [.prettyPrinted, .sortedKeys])
    try AtomicFile.write(data + Data("\n".utf8), to: url.path)
  }
}
