import Files
import Foundation

/// One memory-mapped safetensors file. Opening checks the whole header, so that reading a tensor
/// afterwards cannot fail but for a wrong name or element type.
public struct SafetensorsFile: WeightFile {
  public let file: MappedFile
  /// The file's own notes, such as `format` or a configuration in JSON.
  public let metadata: [String: String]
  private let entries: [String: SafetensorsHeader.Entry]

  /// - Throws: `WeightFileError` where the file cannot be read or breaks the format.
  public init(_ url: URL) throws {
    try self.init(MappedFile(url.path))
  }

  init(_ file: MappedFile) throws {
    let header = try file.withBytes { try SafetensorsHeader($0, file: file.path) }
    self.file = file
    metadata = header.metadata
    entries = header.entries
  }

  /// The names of all tensors, sorted.
  public var names: [String] { entries.keys.sorted() }

  public func contains(_ name: String) -> Bool { entries[name] != nil }

  public func shape(of name: String) throws -> [Int] { try entry(named: name).shape }

  private func entry(named name: String) throws -> SafetensorsHeader.Entry {
    guard let entry = entries[name] else {
      throw WeightFileError.missingTensor(file: file.path, tensor: name)
    }
    return entry
  }

  /// - Throws: `WeightFileError.missingTensor` or `.unsupportedElementType`.
  public func tensor(named name: String) throws -> StoredTensor {
    let entry = try entry(named: name)
    guard let type = entry.elementType else {
      throw WeightFileError.unsupportedElementType(
        file: file.path, tensor: name, found: entry.typeName)
    }
    return StoredTensor(
      name: name, form: .elements(type), shape: entry.shape, elementCount: entry.elementCount,
      bytes: UnsafeRawBufferPointer(rebasing: file.bytes[entry.byteRange]), file: file,
      owner: file)
  }
}
