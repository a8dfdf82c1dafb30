import Synchronization

/// What matrix products were made, over all threads.
public struct ProductCount: Sendable {
  /// Multiplications and additions of float32 numbers, of bfloat16 ones, and of bytes.
  public internal(set) var float32Operations = 0
  public internal(set) var bfloat16Operations = 0
  public internal(set) var int8Operations = 0
  /// The bytes of both factors and of the result, once each.
  public internal(set) var bytes = 0
  /// The time within products, summed over the threads.
  public internal(set) var nanoseconds = 0

  public init() {}

  /// Of all precisions.
  public var operations: Int { float32Operations + bfloat16Operations + int8Operations }

  public static func + (a: ProductCount, b: ProductCount) -> ProductCount {
    a.combined(with: b, &+)
  }

  public static func - (a: ProductCount, b: ProductCount) -> ProductCount {
    a.combined(with: b, &-)
  }

  private func combined(with other: ProductCount, _ f: (Int, Int) -> Int) -> ProductCount {
    var result = ProductCount()
    result.float32Operations = f(float32Operations, other.float32Operations)
    result.bfloat16Operations = f(bfloat16Operations, other.bfloat16Operations)
    result.int8Operations = f(int8Operations, other.int8Operations)
    result.bytes = f(bytes, other.bytes)
    result.nanoseconds = f(nanoseconds, other.nanoseconds)
    return result
  }
}

/// The running count of all threads' products; it stands still unless a profile is taken.
enum ProductCounter {
  private static let total = Mutex(ProductCount())

  static var now: ProductCount { total.withLock { $0 } }

  /// Runs a product of `[rows, inner]` and `[inner, columns]` on this thread, and counts it.
  /// - Parameter factorBytes: The bytes of both factors.
  @inline(__always)
  static func count(
    rows: Int, inner: Int, columns: Int, precision: ProductPrecision, factorBytes: Int,
    _ product: () -> Void
  ) {
    guard Profile.isOn else { return product() }
    let begin = Profile.clock()
    product()
    let nanoseconds = Profile.clock() - begin
    let operations = 2 * rows * inner * columns
    total.withLock {
      $0.nanoseconds &+= nanoseconds
      $0.bytes &+= factorBytes + rows * columns * MemoryLayout<Float>.stride
      switch precision {
      case .float32: $0.float32Operations &+= operations
      case .bfloat16: $0.bfloat16Operations &+= operations
      case .int8: $0.int8Operations &+= operations
      }
    }
  }
}
