import Files

/// A note of a GGUF file.
public enum GGUFValue: Sendable {
  case unsigned(UInt64)
  case signed(Int64)
  case float(Double)
  case bool(Bool)
  case string(String)
  case array(GGUFArray)

  /// What it is, for messages.
  var kind: String {
    switch self {
    case .unsigned(let number): "the whole number \(number)"
    case .signed(let number): "the whole number \(number)"
    case .float(let number): "the number \(number)"
    case .bool(let flag): "\(flag)"
    case .string: "text"
    case .array(let array): "an array of \(array.count) \(array.elementType.name)"
    }
  }
}

/// The types of a note, by the numbers that files give them.
public enum GGUFValueType: UInt32, Sendable {
  case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array
  case uint64, int64, float64

  var name: String { "\(self)" }

  /// The bytes of one; nil where they differ from one to the next.
  var byteCount: Int? {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    case .string, .array: nil
    }
  }
}

/// An array among the notes, such as a vocabulary. It stays in the file: only its extent is checked
/// when the file is opened, and its elements are read when they are asked for.
public struct GGUFArray: Sendable {
  public let elementType: GGUFValueType
  public let count: Int
  /// Where the elements lie in the file, one after the other.
  let range: Range<Int>
  let file: MappedFile

  /// The elements, where they are texts; nil where they are not, or where one is not UTF-8.
  func strings() -> [String]? {
    guard elementType == .string else { return nil }
    return file.withBytes { bytes in
      var strings: [String] = []
      strings.reserveCapacity(count)
      var position = range.lowerBound
      for _ in 0..<count {
        let length = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
        position += 8
        // So it was when the file was opened.
        guard length <= UInt64(range.upperBound - position) else { return nil }
        let text = UnsafeRawBufferPointer(rebasing: bytes[position..<position + Int(length)])
        guard let string = String(validating: text, as: UTF8.self) else { return nil }
        strings.append(string)
        position += text.count
      }
      return strings
    }
  }

  /// The elements, where they are whole numbers that an `Int` can hold.
  func integers() -> [Int]? {
    switch elementType {
    case .uint8: return integers(UInt8.self)
    case .int8: return integers(Int8.self)
    case .uint16: return integers(UInt16.self)
    case .int16: return integers(Int16.self)
    case .uint32: return integers(UInt32.self)
    case .int32: return integers(Int32.self)
    case .uint64: return integers(UInt64.self)
    case .int64: return integers(Int64.self)
    case .float32, .float64, .bool, .string, .array: return nil
    }
  }

  /// The elements, where they are floating-point; float64 is rounded to nearest.
  func floats() -> [Float]? {
    switch elementType {
    case .float32: return elements(Float.self)
    case .float64: return elements(Double.self).map { Float($0) }
    case .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64, .bool, .string, .array:
      return nil
    }
  }

  private func integers<Integer: FixedWidthInteger & BitwiseCopyable>(
    _ type: Integer.Type
  ) -> [Int]? {
    var integers: [Int] = []
    integers.reserveCapacity(count)
    for element in elements(type) {
      guard let integer = Int(exactly: element) else { return nil }
      integers.append(integer)
    }
    return integers
  }

  private func elements<Element: BitwiseCopyable>(_ type: Element.Type) -> [Element] {
    file.withBytes { bytes in
      (0..<count).map { index in
        bytes.loadUnaligned(
          fromByteOffset: range.lowerBound + index * MemoryLayout<Element>.size, as: type)
      }
    }
  }
}
