import CPlatform

/// The kind of a tile's sums. It decides which numbers of the factors, a group that are neighbours
/// along the sum, share the 32 bits of a lane.
protocol TileSum: SIMDScalar, BitwiseCopyable, Hashable, Codable {
  /// A number of the left factor.
  associatedtype Number
  /// Adds the products of each lane's groups.
  static func addProducts(_ sum: SIMD16<Self>, _ a: SIMD16<Self>, _ b: SIMD16<Self>) -> SIMD16<Self>
}

/// Pairs of bfloat16.
extension Float: TileSum {
  typealias Number = BFloat16

  @inline(__always)
  static func addProducts(_ sum: Vector, _ a: Vector, _ b: Vector) -> Vector {
    cplatform_add_pair_products(sum, a, b)
  }
}

/// Quads of bytes, which are unsigned in the left factor and signed in the right one.
extension Int32: TileSum {
  typealias Number = UInt8

  @inline(__always)
  static func addProducts(
    _ sum: SIMD16<Int32>, _ a: SIMD16<Int32>, _ b: SIMD16<Int32>
  ) -> SIMD16<Int32> {
    cplatform_add_quad_products(sum, a, b)
  }
}

/// Neighbouring sums of one row of a tile: one to four vectors, which stay in registers.
protocol TileAccumulators {
  associatedtype Sum: TileSum
  static var vectorCount: Int { get }
  /// Zeros.
  init()
  /// Groups of a panel.
  static func reading(_ pointer: UnsafeRawPointer) -> Self
  /// Adds the products of each lane's groups.
  mutating func addProducts(_ group: SIMD16<Sum>, _ groups: Self)
  /// Calls the body with each vector and its first column.
  func forEachVector(from column: Int, _ body: (Int, SIMD16<Sum>) -> Void)
}

extension SIMD16: TileAccumulators where Scalar: TileSum {
  typealias Sum = Scalar

  static var vectorCount: Int { 1 }

  @inline(__always)
  static func reading(_ pointer: UnsafeRawPointer) -> Self {
    pointer.loadUnaligned(as: Self.self)
  }

  @inline(__always)
  mutating func addProducts(_ group: Self, _ groups: Self) {
    self = Scalar.addProducts(self, group, groups)
  }

  @inline(__always)
  func forEachVector(from column: Int, _ body: (Int, Self) -> Void) { body(column, self) }
}

/// Two lines side by side.
struct JoinedLines<Low: TileAccumulators, High: TileAccumulators>: TileAccumulators
where Low.Sum == High.Sum {
  typealias Sum = Low.Sum

  private var low: Low
  private var high: High

  @inline(__always)
  private init(_ low: Low, _ high: High) { (self.low, self.high) = (low, high) }

  @inline(__always)
  init() { self.init(Low(), High()) }

  @inline(__always)
  static func reading(_ pointer: UnsafeRawPointer) -> Self {
    Self(.reading(pointer), .reading(pointer + 64 &* Low.vectorCount))
  }

  @inline(__always)
  static var vectorCount: Int { Low.vectorCount &+ High.vectorCount }

  @inline(__always)
  mutating func addProducts(_ group: SIMD16<Sum>, _ groups: Self) {
    low.addProducts(group, groups.low)
    high.addProducts(group, groups.high)
  }

  @inline(__always)
  func forEachVector(from column: Int, _ body: (Int, SIMD16<Sum>) -> Void) {
    low.forEachVector(from: column, body)
    high.forEachVector(from: column &+ 16 &* Low.vectorCount, body)
  }
}

typealias TwoVectors<Sum: TileSum> = JoinedLines<SIMD16<Sum>, SIMD16<Sum>>
typealias ThreeVectors<Sum: TileSum> = JoinedLines<TwoVectors<Sum>, SIMD16<Sum>>
typealias FourVectors<Sum: TileSum> = JoinedLines<TwoVectors<Sum>, TwoVectors<Sum>>
