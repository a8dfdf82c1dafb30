import Files
import Foundation

/// One memory-mapped GGUF file, versions 2 and 3, little-endian.
///
/// Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. GGUF names a tensor's
/// dimensions from the innermost outwards; shapes here are the other way round, as everywhere.
public struct GGUFFile: WeightFile {
  public let file: MappedFile
  /// The file's notes: the model's kind and sizes, its tokenizer.
  public let fields: GGUFFields
  public let tensors: [String: TensorEntry]

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
  public var metadata: [String: String] { fields.values.compactMapValues(\.text) }
}
