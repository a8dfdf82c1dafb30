import Files
import Foundation

/// One memory-mapped safetensors file.
public struct SafetensorsFile: WeightFile {
  public let file: MappedFile
  /// The file's own notes, such as `format` or a configuration in JSON.
  public let metadata: [String: String]
  public let tensors: [String: TensorEntry]

  /// - Throws: `WeightFileError` where the file cannot be read or breaks the format.
  public init(_ url: URL) throws {
    try self.init(MappedFile(url.path))
  }

  init(_ file: MappedFile) throws {
    let header = try file.decoded(SafetensorsHeader.init)
    self.file = file
    metadata = header.metadata
    tensors = header.tensors
  }
}
