import Files
import Foundation

/// One memory-mapped safetensors file. Opening checks the whole header, so that reading a tensor
/// afterwards cannot fail but for a wrong name or element type.
public struct SafetensorsFile: WeightFile {
  public let file: MappedFile
  /// The file's own notes, such as `format` or a configuration in JSON.
  public let metadata: [String: String]
  private let tensors: [String: StoredTensor]

  /// - Throws: `WeightFileError` where the file cannot be read or breaks the format.
  public init(_ url: URL) throws {
    try self.init(MappedFile(url.path))
  }

  init(_ file: MappedFile) throws {
    let header = try file.withBytes { try SafetensorsHeader($0, file: file.path) }
    self.file = file
    metadata = header.metadata
    var tensors: [String: StoredTensor] = [:]
    tensors.reserveCapacity(header.entries.count)
    for (name, entry) in header.entries {
      tensors[name] = StoredTensor(
        name: name, form: .elements(entry.elementType), shape: entry.shape,
        elementCount: entry.elementCount,
        bytes: UnsafeRawBufferPointer(rebasing: file.bytes[entry.byteRange]), file: file,
        owner: file)
    }
    self.tensors = tensors
  }

  /// The names of all tensors, sorted.
  public var names: [String] { tensors.keys.sorted() }

  public func contains(_ name: String) -> Bool { tensors[name] != nil }

  public func shape(of name: String) throws -> [Int] { try tensor(named: name).shape }

  /// - Throws: `WeightFileError.missingTensor`.
  public func tensor(named name: String) throws -> StoredTensor {
    guard let tensor = tensors[name] else {
      throw WeightFileError.missingTensor(file: file.path, tensor: name)
    }
    return tensor
  }
}
