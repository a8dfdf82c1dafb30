/// A function of each value by itself.
///
/// Functions are types and not closures because a closure within the parallel loop's closure is called
/// for every vector, while a static function is compiled into the loop.
public protocol UnaryFunction {
  static func value(_ x: Vector) -> Vector
  /// A value that is then rounded to bfloat16, and may be less exact where that saves time.
  static func roundedValue(_ x: Vector) -> Vector
  /// y = f(x) for the values of some rows, `stride` values from row to row, on the calling thread; y may
  /// be x. All functions have these two from the protocol; they are requirements so that each has loops
  /// of its own, which are then called by its type.
  static func map(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, rows: Int, columns: Int,
    stride: Int)
  static func map(
    _ x: UnsafePointer<BFloat16>, into y: UnsafeMutablePointer<BFloat16>, rows: Int, columns: Int,
    stride: Int)
}

extension UnaryFunction {
  @inlinable @inline(__always)
  public static func roundedValue(_ x: Vector) -> Vector { value(x) }

  @inlinable
  public static func map(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, rows: Int, columns: Int,
    stride: Int
  ) {
    mapLanes(x, into: y, rows: rows, columns: columns, stride: stride)
  }

  @inlinable
  public static func map(
    _ x: UnsafePointer<BFloat16>, into y: UnsafeMutablePointer<BFloat16>, rows: Int, columns: Int,
    stride: Int
  ) {
    mapLanes(x, into: y, rows: rows, columns: columns, stride: stride)
  }

  @inlinable @inline(__always)
  static func mapLanes<Element: LaneElement>(
    _ x: UnsafePointer<Element>, into y: UnsafeMutablePointer<Element>, rows: Int, columns: Int,
    stride: Int
  ) {
    for row in 0..<rows {
      let (x, y) = (x + row &* stride, y + row &* stride)
      forEachVector(columns) { i in
        Element.store(Element.value(Self.self, Element.load(x + i)), y + i)
      } partial: { i, lanes in
        Element.store(
          Element.value(Self.self, Element.load(x + i, first: lanes)), y + i, first: lanes)
      }
    }
  }
}

/// A function of pairs of values.
public protocol BinaryFunction {
  static func value(_ a: Vector, _ b: Vector) -> Vector
  /// A value that is then rounded to bfloat16, and may be less exact where that saves time.
  static func roundedValue(_ a: Vector, _ b: Vector) -> Vector
}

extension BinaryFunction {
  @inlinable @inline(__always)
  public static func roundedValue(_ a: Vector, _ b: Vector) -> Vector { value(a, b) }
}

public enum Multiplication: BinaryFunction {
  @inlinable @inline(__always)
  public static func value(_ a: Vector, _ b: Vector) -> Vector { a * b }
}

/// The loops over pairs of values, float32 or bfloat16, shared out over the threads.
@usableFromInline
enum Pointwise {
  @usableFromInline static var grain: Int { 16_384 }

  @inlinable @inline(__always)
  static func combine<F: BinaryFunction, A: LaneElement, B: LaneElement, Y: LaneElement>(
    _ f: F.Type, _ a: UnsafePointer<A>, _ b: UnsafePointer<B>, into y: UnsafeMutablePointer<Y>,
    count: Int
  ) {
    Parallel.forEachRun(of: count, grain: grain) { run in
      let (a, b, y) = (a + run.lowerBound, b + run.lowerBound, y + run.lowerBound)
      forEachVector(run.count) { i in
        Y.store(Y.value(F.self, A.load(a + i), B.load(b + i)), y + i)
      } partial: { i, lanes in
        Y.store(
          Y.value(F.self, A.load(a + i, first: lanes), B.load(b + i, first: lanes)), y + i,
          first: lanes)
      }
    }
  }
}

/// Numbers that are read and written sixteen at a time as float32.
public protocol LaneElement {
  static func load(_ x: UnsafePointer<Self>) -> Vector
  static func load(_ x: UnsafePointer<Self>, first count: Int) -> Vector
  static func store(_ x: Vector, _ y: UnsafeMutablePointer<Self>)
  static func store(_ x: Vector, _ y: UnsafeMutablePointer<Self>, first count: Int)
  /// As exact as a number of this kind needs.
  static func value<F: UnaryFunction>(_ f: F.Type, _ x: Vector) -> Vector
  static func value<F: BinaryFunction>(_ f: F.Type, _ a: Vector, _ b: Vector) -> Vector
}

extension Float: LaneElement {
  @inlinable @inline(__always)
  public static func load(_ x: UnsafePointer<Float>) -> Vector { Vector(x) }
  @inlinable @inline(__always)
  public static func load(_ x: UnsafePointer<Float>, first count: Int) -> Vector {
    Vector(x, first: count)
  }
  @inlinable @inline(__always)
  public static func store(_ x: Vector, _ y: UnsafeMutablePointer<Float>) { x.store(y) }
  @inlinable @inline(__always)
  public static func store(_ x: Vector, _ y: UnsafeMutablePointer<Float>, first count: Int) {
    x.store(y, first: count)
  }
  @inlinable @inline(__always)
  public static func value<F: UnaryFunction>(_ f: F.Type, _ x: Vector) -> Vector { F.value(x) }
  @inlinable @inline(__always)
  public static func value<F: BinaryFunction>(_ f: F.Type, _ a: Vector, _ b: Vector) -> Vector {
    F.value(a, b)
  }
}
