/// The element types that torch can store, by the names of its dtypes.
enum TorchElementType: String {
  case float64, float32, float16, bfloat16
  case int64, int32, int16, int8, uint8, bool
  // Not read here; named so that messages can say so.
  case uint16, uint32, uint64
  case complex32, complex64, complex128
  case quint8, qint8, qint32, quint4x2, quint2x4
  case float8E4M3FN = "float8_e4m3fn"
  case float8E5M2 = "float8_e5m2"
  case float8E4M3FNUZ = "float8_e4m3fnuz"
  case float8E5M2FNUZ = "float8_e5m2fnuz"

  /// The type whose storages have a class of that name, such as `FloatStorage`.
  init?(storageClass: String) {
    switch storageClass {
    case "DoubleStorage": self = .float64
    case "FloatStorage": self = .float32
    case "HalfStorage": self = .float16
    case "BFloat16Storage": self = .bfloat16
    case "LongStorage": self = .int64
    case "IntStorage": self = .int32
    case "ShortStorage": self = .int16
    case "CharStorage": self = .int8
    case "ByteStorage": self = .uint8
    case "BoolStorage": self = .bool
    case "ComplexFloatStorage": self = .complex64
    case "ComplexDoubleStorage": self = .complex128
    case "QUInt8Storage": self = .quint8
    case "QInt8Storage": self = .qint8
    case "QInt32Storage": self = .qint32
    case "QUInt4x2Storage": self = .quint4x2
    case "QUInt2x4Storage": self = .quint2x4
    default: return nil
    }
  }

  /// Nil for types this program does not read.
  var elementType: ElementType? {
    switch self {
    case .float64: .float64
    case .float32: .float32
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .int64: .int64
    case .int32: .int32
    case .int16: .int16
    case .int8: .int8
    case .uint8: .uint8
    case .bool: .bool
    case .uint16, .uint32, .uint64, .complex32, .complex64, .complex128, .quint8, .qint8, .qint32,
      .quint4x2, .quint2x4, .float8E4M3FN, .float8E5M2, .float8E4M3FNUZ, .float8E5M2FNUZ:
      nil
    }
  }
}
