import Files
import Foundation

/// One memory-mapped GGUF file, versions 2 and 3, little-endian.
///
/// Layout: the magic, a version, the counts of tensors and notes, the notes, the tensors' names, shapes,
/// types and offsets; then, at a multiple of the alignment, the tensors' bytes.
///
/// Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. GGUF names a tensor's
/// dimensions from the innermost outwards; shapes here are the other way round, as everywhere.
public struct GGUFFile: WeightFile {
  private static let magic = Array("GGUF".utf8)
  private static let longestKey = 65_535

  public let file: MappedFile
  /// The file's notes: the model's kind and sizes, its tokenizer.
  public let fields: GGUFFields
  public let tensors: [String: TensorEntry]

  public init(_ file: MappedFile) throws {
    self.file = file
    (fields, tensors) = try file.decoded { bytes in
      try Self.requireKnownVersion(bytes)
      var cursor = GGUFCursor(file, from: 8)
      // The least that a tensor and a note can take.
      let tensorCount = try cursor.count(eachOf: 24, "tensors")
      let fieldCount = try cursor.count(eachOf: 13, "notes")
      let fields = try Self.fields(fieldCount, &cursor)
      try Self.requireWhole(fields)
      let tensors = try Self.tensors(tensorCount, alignment: Self.alignment(fields), &cursor)
      return (fields, tensors)
    }
  }

  static func isGGUF(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.starts(with: magic) }

  /// Those of the notes that are text.
  public var metadata: [String: String] { fields.values.compactMapValues(\.text) }

  private static func requireKnownVersion(_ bytes: UnsafeRawBufferPointer) throws {
    guard isGGUF(bytes) else {
      throw unsupported(
        "one that does not begin with GGUF: it \(FileKind.words(bytes))", remedy: "fetch it again")
    }
    guard bytes.count >= 8 else { throw damaged("a version after GGUF", "the file's end") }
    let version = bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
    guard version == 2 || version == 3 else {
      if [2, 3].contains(version.byteSwapped) {
        throw unsupported("big-endian GGUF", remedy: "convert it with gguf_convert_endian.py")
      }
      throw unsupported(
        "GGUF of version \(version)",
        remedy: "convert the model with a current llama.cpp to version 3")
    }
  }

  private static func alignment(_ fields: GGUFFields) throws -> Int {
    let key = "general.alignment"
    guard fields.contains(key) else { return 32 }
    let alignment = try fields.integer(key)
    guard alignment > 0, alignment <= 1 << 20, alignment & (alignment - 1) == 0 else {
      throw WeightFileError.wrongMetadata(
        file: fields.file.path, key: key, expected: "a power of two up to \(1 << 20)",
        found: "\(alignment)")
    }
    return alignment
  }

  private static func requireWhole(_ fields: GGUFFields) throws {
    let key = "split.count"
    guard fields.contains(key) else { return }
    let count = try fields.integer(key)
    guard count <= 1 else {
      throw unsupported(
        "one of \(count) parts of a GGUF file",
        remedy: "put them together with llama-gguf-split --merge")
    }
  }

  private static func fields(_ count: Int, _ cursor: inout GGUFCursor) throws -> GGUFFields {
    var values: [String: GGUFValue] = [:]
    for _ in 0..<count {
      let key = try cursor.text("a note's key", atMost: longestKey)
      let type = try GGUFValueType(&cursor, key)
      let value = try GGUFValue(type, &cursor, key)
      guard values.updateValue(value, forKey: key) == nil else {
        throw damaged("distinct keys", "\(key) twice")
      }
    }
    return GGUFFields(values: values, file: cursor.file)
  }
}
