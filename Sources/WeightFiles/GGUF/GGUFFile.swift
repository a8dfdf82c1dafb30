import Files
import Foundation

/// One memory-mapped GGUF file, versions 2 and 3, little-endian. Opening checks the whole header, so
/// that reading a tensor afterwards cannot fail but for a wrong name or a type that is not read.
///
/// Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. GGUF names a tensor's
/// dimensions from the innermost outwards; shapes here are the other way round, as everywhere.
public struct GGUFFile: WeightFile {
  public let file: MappedFile
  /// The file's notes: the model's kind and sizes, its tokenizer.
  public let fields: GGUFFields
  private let tensors: [String: GGUFTensorEntry]

  /// - Throws: `WeightFileError` where the file cannot be read or breaks the format.
  public init(_ url: URL) throws {
    try self.init(MappedFile(url.path))
  }

  init(_ file: MappedFile) throws {
    let header = try GGUFHeader(file)
    self.file = file
    fields = header.fields
    tensors = header.tensors
  }

  static func isGGUF(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.starts(with: GGUFHeader.magic)
  }

  /// Those of the notes that are text.
  public var metadata: [String: String] {
    fields.values.compactMapValues { if case .string(let text) = $0 { text } else { nil } }
  }

  /// The names of all tensors, sorted.
  public var names: [String] { tensors.keys.sorted() }

  public func contains(_ name: String) -> Bool { tensors[name] != nil }

  public func shape(of name: String) throws -> [Int] { try readable(name).entry.shape }

  /// - Throws: `WeightFileError.missingTensor` or `.unsupportedElementType`.
  public func tensor(named name: String) throws -> StoredTensor {
    let (entry, form, byteRange) = try readable(name)
    return StoredTensor(
      name: name, form: form, shape: entry.shape, elementCount: entry.elementCount,
      bytes: UnsafeRawBufferPointer(rebasing: file.bytes[byteRange]), file: file, owner: file)
  }

  private func readable(
    _ name: String
  ) throws -> (entry: GGUFTensorEntry, form: StoredForm, byteRange: Range<Int>) {
    guard let entry = tensors[name] else {
      throw WeightFileError.missingTensor(file: file.path, tensor: name)
    }
    switch entry.content {
    case .readable(let form, let byteRange): return (entry, form, byteRange)
    case .unread(let type):
      throw WeightFileError.unsupportedElementType(file: file.path, tensor: name, found: type)
    }
  }
}
