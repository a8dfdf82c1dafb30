import Files
import Tensors

/// What the bytes of a stored tensor are: elements one after the other, or blocks of numbers that
/// share their scales.
public enum StoredForm: Hashable, Sendable {
  case elements(ElementType)
  /// One of the formats whose `blockElements` is more than 1.
  case blocks(NumberFormat)

  /// The name that files give it.
  public var name: String {
    switch self {
    case .elements(let type): type.rawValue
    case .blocks(let format): format.rawValue
    }
  }

  /// How weights of this form are read without conversion; nil for float64 and whole numbers.
  public var numberFormat: NumberFormat? {
    switch self {
    case .elements(let type): NumberFormat(rawValue: type.rawValue)
    case .blocks(let format): format
    }
  }

  /// Whether the numbers can be read as `Float`.
  public var isFloatingPoint: Bool {
    switch self {
    case .elements(let type): ElementType.floatingPoint.contains(type)
    case .blocks: true
    }
  }

  /// The bytes of a tensor; nil where its rows are no whole blocks, or its bytes more than an `Int` can
  /// count.
  func byteCount(of shape: [Int]) -> Int? {
    switch self {
    case .elements(let type): return (shape + [type.byteCount]).countableProduct
    case .blocks(let format):
      guard let count = shape.countableProduct, (shape.last ?? 1) % format.blockElements == 0 else {
        return nil
      }
      return [count / format.blockElements, format.blockBytes].countableProduct
    }
  }

  /// The names of all forms.
  static let allNames =
    ElementType.allCases.map(\.rawValue) + blockFormats.map(\.rawValue)

  static let blockFormats = NumberFormat.allCases.filter { $0.blockElements > 1 }
}
