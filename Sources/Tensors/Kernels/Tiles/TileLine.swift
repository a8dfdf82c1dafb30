import CPlatform

/// Neighbouring numbers of one row of a tile: one to four vectors, which stay in registers.
protocol TileLine {
  static var zero: Self { get }
  static var vectorCount: Int { get }
  init(_ pointer: UnsafePointer<Float>)
  /// Adds the two products of each lane's pairs.
  mutating func addProducts(_ pair: Vector, _ pairs: Self)
  /// Calls the body with each vector and its first column.
  func forEachVector(from column: Int, _ body: (Int, Vector) -> Void)
}

extension SIMD16: TileLine where Scalar == Float {
  static var vectorCount: Int { 1 }

  @inline(__always)
  mutating func addProducts(_ pair: Vector, _ pairs: Vector) {
    self = cplatform_add_pair_products(self, pair, pairs)
  }

  @inline(__always)
  func forEachVector(from column: Int, _ body: (Int, Vector) -> Void) { body(column, self) }
}

/// Two lines side by side.
struct JoinedLines<Low: TileLine, High: TileLine>: TileLine {
  private var low: Low
  private var high: High

  @inline(__always)
  private init(_ low: Low, _ high: High) { (self.low, self.high) = (low, high) }

  @inline(__always)
  init(_ pointer: UnsafePointer<Float>) {
    self.init(Low(pointer), High(pointer + 16 &* Low.vectorCount))
  }

  @inline(__always)
  static var zero: Self { Self(.zero, .zero) }

  @inline(__always)
  static var vectorCount: Int { Low.vectorCount &+ High.vectorCount }

  @inline(__always)
  mutating func addProducts(_ pair: Vector, _ pairs: Self) {
    low.addProducts(pair, pairs.low)
    high.addProducts(pair, pairs.high)
  }

  @inline(__always)
  func forEachVector(from column: Int, _ body: (Int, Vector) -> Void) {
    low.forEachVector(from: column, body)
    high.forEachVector(from: column &+ 16 &* Low.vectorCount, body)
  }
}

typealias TwoVectors = JoinedLines<Vector, Vector>
typealias ThreeVectors = JoinedLines<TwoVectors, Vector>
typealias FourVectors = JoinedLines<TwoVectors, TwoVectors>
