/// Writes GGUF files byte by byte, or whatever a test wants to claim of them.
public struct GGUFFileMaker {
  /// A note's value as it stands in the file.
  public struct Value {
    public let type: Int
    public let bytes: [UInt8]

    /// Any bytes under any type's number.
    public init(type: Int, bytes: [UInt8]) {
      (self.type, self.bytes) = (type, bytes)
    }

    public static func uint32(_ number: Int) -> Value { Value(type: 4, bytes: number32(number)) }

    public static func int64(_ number: Int) -> Value {
      Value(type: 11, bytes: TestSupport.number(number, 8))
    }

    public static func uint64(_ number: UInt64) -> Value {
      Value(type: 10, bytes: withUnsafeBytes(of: number.littleEndian) { Array($0) })
    }

    public static func float(_ number: Float) -> Value {
      Value(type: 6, bytes: number32(Int(number.bitPattern)))
    }

    public static func bool(_ flag: Bool) -> Value { Value(type: 7, bytes: [flag ? 1 : 0]) }

    public static func string(_ text: String) -> Value { Value(type: 8, bytes: ggufText(text)) }

    /// An array of values of one type; of texts where it is empty.
    public static func array(_ values: [Value]) -> Value {
      Value(
        type: 9,
        bytes: number32(values.first?.type ?? 8) + TestSupport.number(values.count, 8)
          + values.flatMap(\.bytes))
    }

    private static func number32(_ number: Int) -> [UInt8] { TestSupport.number(number, 4) }
  }

  public struct Tensor {
    public var name: String
    /// The extents, innermost first, as the file has them.
    public var dimensions: [Int]
    /// The number of its type.
    public var type: Int
    public var bytes: [UInt8]
    /// What the directory says of the place, where that is not the truth.
    public var claimedOffset: Int?

    public init(
      _ name: String, _ dimensions: [Int], type: Int, bytes: [UInt8], claimedOffset: Int? = nil
    ) {
      (self.name, self.dimensions, self.type) = (name, dimensions, type)
      (self.bytes, self.claimedOffset) = (bytes, claimedOffset)
    }
  }

  public var magic = Array("GGUF".utf8)
  public var version = 3
  public var alignment = 32
  public var fields: [(String, Value)]
  public var tensors: [Tensor]
  /// What the header says of the counts, where that is not the truth.
  public var claimedTensorCount: Int?
  public var claimedFieldCount: Int?

  public init(_ fields: [(String, Value)] = [], _ tensors: [Tensor] = []) {
    (self.fields, self.tensors) = (fields, tensors)
  }

  public var file: [UInt8] {
    var header = magic + number(version, 4)
    header += number(claimedTensorCount ?? tensors.count, 8)
    header += number(claimedFieldCount ?? fields.count, 8)
    for (key, value) in fields { header += ggufText(key) + number(value.type, 4) + value.bytes }
    var data: [UInt8] = []
    for tensor in tensors {
      header += ggufText(tensor.name) + number(tensor.dimensions.count, 4)
      header += tensor.dimensions.flatMap { number($0, 8) } + number(tensor.type, 4)
      header += number(tensor.claimedOffset ?? data.count, 8)
      data += padded(tensor.bytes)
    }
    return padded(header) + data
  }

  private func padded(_ bytes: [UInt8]) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: (alignment - bytes.count % alignment) % alignment)
  }
}

private func ggufText(_ text: String) -> [UInt8] {
  number(text.utf8.count, 8) + Array(text.utf8)
}
