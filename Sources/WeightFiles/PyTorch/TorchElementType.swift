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

  /// The types by the names of the classes of their storages.
  private static let storageClasses: [String: TorchElementType] = [
    "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16,
    "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32,
    "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool,
    "ComplexFloatStorage": .complex64, "ComplexDoubleStorage": .complex128,
    "QUInt8Storage": .quint8, "QInt8Storage": .qint8, "QInt32Storage": .qint32,
    "QUInt4x2Storage": .quint4x2, "QUInt2x4Storage": .quint2x4,
  ]

  /// The type whose storages have a class of that name, such as `FloatStorage`.
  init?(storageClass: String) {
    guard let type = Self.storageClasses[storageClass] else { return nil }
    self = type
  }

  /// The type of the same name here; nil for types this program does not read.
  var elementType: ElementType? { Self.elementTypes[self] }

  private static let elementTypes: [TorchElementType: ElementType] = [
    .float64: .float64, .float32: .float32, .float16: .float16, .bfloat16: .bfloat16,
    .int64: .int64, .int32: .int32, .int16: .int16, .int8: .int8, .uint8: .uint8, .bool: .bool,
  ]
}
