/// The type of a stored tensor's elements, under the names the safetensors format gives them.
public enum ElementType: String, CaseIterable, Sendable {
  case float64 = "F64"
  case float32 = "F32"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int64 = "I64"
  case int32 = "I32"
  case int16 = "I16"
  case int8 = "I8"
  case uint8 = "U8"
  case bool = "BOOL"

  /// Bytes an element takes in the file.
  public var byteCount: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .float16, .bfloat16, .int16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  /// The types that `StoredTensor.floats()` reads.
  public static let floatingPoint: [ElementType] = [.float64, .float32, .float16, .bfloat16]

  /// The types that `StoredTensor.integers()` reads.
  public static let integral: [ElementType] = [.int64, .int32, .int16, .int8, .uint8, .bool]
}
