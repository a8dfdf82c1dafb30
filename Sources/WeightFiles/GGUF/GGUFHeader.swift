import Files

/// What stands in front of a GGUF file's tensors, checked against the file's size.
///
/// Layout: the magic, a version, the counts of tensors and notes, the notes, the tensors' names, shapes,
/// types and offsets; then, at a multiple of the alignment, the tensors' bytes.
struct GGUFHeader {
  static let magic = Array("GGUF".utf8)
  private static let longestKey = 65_535
  /// Arrays of arrays: none is known, but the format allows them.
  private static let deepestArray = 4

  let fields: GGUFFields
  let tensors: [String: GGUFTensorEntry]

  init(_ file: MappedFile) throws {
    (fields, tensors) = try file.withBytes { bytes in
      try Self.requireKnownVersion(bytes, file: file.path)
      var cursor = GGUFCursor(bytes, from: 8, file: file.path)
      // The least that a tensor and a note can take.
      let tensorCount = try cursor.count(eachOf: 24, "tensors")
      let fieldCount = try cursor.count(eachOf: 13, "notes")
      let fields = try Self.fields(fieldCount, &cursor, file: file)
      try Self.requireWhole(fields)
      let tensors = try GGUFTensorDirectory.read(
        tensorCount, alignment: Self.alignment(fields), &cursor, file: file)
      return (fields, tensors)
    }
  }

  private static func requireKnownVersion(_ bytes: UnsafeRawBufferPointer, file: String) throws {
    func unsupported(_ found: String, _ remedy: String) -> WeightFileError {
      .unsupportedFormat(file: file, found: found, remedy: remedy)
    }
    guard bytes.starts(with: magic) else {
      throw unsupported(
        "one that does not begin with GGUF: it \(FileKind.words(bytes))", "fetch it again")
    }
    guard bytes.count >= 8 else {
      throw WeightFileError.damagedHeader(
        file: file, expected: "a version after GGUF", found: "the file's end")
    }
    let version = bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
    guard version == 2 || version == 3 else {
      if [2, 3].contains(version.byteSwapped) {
        throw unsupported("big-endian GGUF", "convert it with gguf_convert_endian.py")
      }
      throw unsupported(
        "GGUF of version \(version)", "convert the model with a current llama.cpp to version 3")
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
      throw WeightFileError.unsupportedFormat(
        file: fields.file.path, found: "one of \(count) parts of a GGUF file",
        remedy: "put them together with llama-gguf-split --merge")
    }
  }

  // MARK: Notes

  private static func fields(
    _ count: Int, _ cursor: inout GGUFCursor, file: MappedFile
  ) throws -> GGUFFields {
    var values: [String: GGUFValue] = [:]
    for _ in 0..<count {
      let key = try cursor.text("a note's key", atMost: longestKey)
      let type = try valueType(&cursor, key)
      let value = try value(type, &cursor, key, file: file)
      guard values.updateValue(value, forKey: key) == nil else {
        throw cursor.damaged("distinct keys", "\(key) twice")
      }
    }
    return GGUFFields(values: values, file: file)
  }

  private static func valueType(_ cursor: inout GGUFCursor, _ key: String) throws -> GGUFValueType {
    let number = try cursor.number(UInt32.self, "the type of \(key)")
    guard let type = GGUFValueType(rawValue: number) else {
      throw cursor.damaged("a type of 0 to 12 for \(key)", "\(number)")
    }
    return type
  }

  private static func value(
    _ type: GGUFValueType, _ cursor: inout GGUFCursor, _ key: String, file: MappedFile
  ) throws -> GGUFValue {
    switch type {
    case .uint8: return .unsigned(UInt64(try cursor.number(UInt8.self, key)))
    case .uint16: return .unsigned(UInt64(try cursor.number(UInt16.self, key)))
    case .uint32: return .unsigned(UInt64(try cursor.number(UInt32.self, key)))
    case .uint64: return .unsigned(try cursor.number(UInt64.self, key))
    case .int8: return .signed(Int64(try cursor.number(Int8.self, key)))
    case .int16: return .signed(Int64(try cursor.number(Int16.self, key)))
    case .int32: return .signed(Int64(try cursor.number(Int32.self, key)))
    case .int64: return .signed(try cursor.number(Int64.self, key))
    case .float32: return .float(Double(try cursor.number(Float.self, key)))
    case .float64: return .float(try cursor.number(Double.self, key))
    case .bool:
      let byte = try cursor.number(UInt8.self, key)
      guard byte <= 1 else { throw cursor.damaged("0 or 1 for \(key)", "\(byte)") }
      return .bool(byte == 1)
    case .string: return .string(try cursor.text(key))
    case .array: return .array(try array(&cursor, key, depth: 1, file: file))
    }
  }

  private static func array(
    _ cursor: inout GGUFCursor, _ key: String, depth: Int, file: MappedFile
  ) throws -> GGUFArray {
    guard depth <= deepestArray else {
      throw cursor.damaged("arrays at most \(deepestArray) deep in \(key)", "deeper ones")
    }
    let type = try valueType(&cursor, key)
    // A text takes 8 bytes at least, an array 12.
    let size = type.byteCount ?? (type == .string ? 8 : 12)
    let count = try cursor.count(eachOf: size, "elements of \(key)")
    let start = cursor.position
    if let size = type.byteCount {
      _ = try cursor.take(count * size, key)
    } else {
      for _ in 0..<count {
        if type == .string {
          _ = try cursor.take(try cursor.count(eachOf: 1, "bytes of a text in \(key)"), key)
        } else {
          _ = try array(&cursor, key, depth: depth + 1, file: file)
        }
      }
    }
    return GGUFArray(
      elementType: type, count: count, range: start..<cursor.position, file: file)
  }
}
