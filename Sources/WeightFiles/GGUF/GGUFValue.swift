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

  /// A whole number that an `Int` can hold.
  var integer: Int? {
    switch self {
    case .unsigned(let number): Int(exactly: number)
    case .signed(let number): Int(exactly: number)
    default: nil
    }
  }

  /// A floating-point number; float64 is rounded to nearest.
  var number: Float? { if case .float(let number) = self { Float(number) } else { nil } }

  var text: String? { if case .string(let text) = self { text } else { nil } }
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

  static let integral: Set<GGUFValueType> = [
    .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64,
  ]
  static let floatingPoint: Set<GGUFValueType> = [.float32, .float64]
}

/// An array among the notes, such as a vocabulary. It stays in the file: only its extent is checked
/// when the file is opened, and its elements are read when they are asked for.
public struct GGUFArray: Sendable {
  public let elementType: GGUFValueType
  public let count: Int
  /// Where the elements begin in the file, which has them one after the other.
  let start: Int
  let file: MappedFile

  /// The elements; nil where they are of other types than these, or one is not what `element` takes.
  func elements<Element>(
    of types: Set<GGUFValueType>, _ element: (GGUFValue) -> Element?
  ) -> [Element]? {
    guard types.contains(elementType) else { return nil }
    defer { withExtendedLifetime(file) {} }
    var cursor = GGUFCursor(file, from: start)
    var elements: [Element] = []
    elements.reserveCapacity(count)
    for _ in 0..<count {
      guard let value = try? GGUFValue(elementType, &cursor, "an array"),
        let element = element(value)
      else { return nil }
      elements.append(element)
    }
    return elements
  }
}

// MARK: Reading

extension GGUFValueType {
  init(_ cursor: inout GGUFCursor, _ key: String) throws {
    let number = try cursor.number(UInt32.self, "the type of \(key)")
    guard let type = GGUFValueType(rawValue: number) else {
      throw damaged("a type of 0 to 12 for \(key)", "\(number)")
    }
    self = type
  }
}

extension GGUFValue {
  /// - Parameter depth: How many arrays it lies in.
  init(
    _ type: GGUFValueType, _ cursor: inout GGUFCursor, _ key: String, depth: Int = 0
  ) throws {
    switch type {
    case .uint8: self = .unsigned(UInt64(try cursor.number(UInt8.self, key)))
    case .uint16: self = .unsigned(UInt64(try cursor.number(UInt16.self, key)))
    case .uint32: self = .unsigned(UInt64(try cursor.number(UInt32.self, key)))
    case .uint64: self = .unsigned(try cursor.number(UInt64.self, key))
    case .int8: self = .signed(Int64(try cursor.number(Int8.self, key)))
    case .int16: self = .signed(Int64(try cursor.number(Int16.self, key)))
    case .int32: self = .signed(Int64(try cursor.number(Int32.self, key)))
    case .int64: self = .signed(try cursor.number(Int64.self, key))
    case .float32: self = .float(Double(try cursor.number(Float.self, key)))
    case .float64: self = .float(try cursor.number(Double.self, key))
    case .bool:
      let byte = try cursor.number(UInt8.self, key)
      guard byte <= 1 else { throw damaged("0 or 1 for \(key)", "\(byte)") }
      self = .bool(byte == 1)
    case .string: self = .string(try cursor.text(key))
    case .array: self = .array(try GGUFArray(&cursor, key, depth: depth + 1))
    }
  }
}

extension GGUFArray {
  /// Arrays of arrays: none is known, but the format allows them.
  private static let deepest = 4

  /// Passes over the elements.
  fileprivate init(_ cursor: inout GGUFCursor, _ key: String, depth: Int) throws {
    guard depth <= Self.deepest else {
      throw damaged("arrays at most \(Self.deepest) deep in \(key)", "deeper ones")
    }
    elementType = try GGUFValueType(&cursor, key)
    // A text takes 8 bytes at least, an array 12.
    let size = elementType.byteCount ?? (elementType == .string ? 8 : 12)
    count = try cursor.count(eachOf: size, "elements of \(key)")
    start = cursor.position
    file = cursor.file
    if elementType.byteCount != nil {
      _ = try cursor.take(count * size, key)
    } else {
      for _ in 0..<count {
        if elementType == .string {
          _ = try cursor.take(try cursor.count(eachOf: 1, "bytes of a text in \(key)"), key)
        } else {
          _ = try GGUFArray(&cursor, key, depth: depth + 1)
        }
      }
    }
  }
}
