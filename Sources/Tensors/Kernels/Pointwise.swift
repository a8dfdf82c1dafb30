/// A function of each value by itself.
///
/// Functions are types and not closures because a closure within the parallel loop's closure is called
/// for every vector, while a static function is compiled into the loop.
public protocol UnaryFunction {
  static func value(_ x: Vector) -> Vector
}

/// A function of pairs of values.
public protocol BinaryFunction {
  static func value(_ a: Vector, _ b: Vector) -> Vector
}

public enum Multiplication: BinaryFunction {
  @inlinable @inline(__always)
  public static func value(_ a: Vector, _ b: Vector) -> Vector { a * b }
}

/// The loops over values, float32 or bfloat16, shared out over the threads.
@usableFromInline
enum Pointwise {
  @usableFromInline static var grain: Int { 16_384 }

  @inlinable @inline(__always)
  static func map<F: UnaryFunction, X: LaneElement, Y: LaneElement>(
    _ f: F.Type, _ x: UnsafePointer<X>, into y: UnsafeMutablePointer<Y>, count: Int
  ) {
    Parallel.forEachRun(of: count, grain: grain) { run in
      let (x, y) = (x + run.lowerBound, y + run.lowerBound)
      forEachVector(run.count) { i in
        Y.store(F.value(X.load(x + i)), y + i)
      } partial: { i, lanes in
        Y.store(F.value(X.load(x + i, first: lanes)), y + i, first: lanes)
      }
    }
  }

  @inlinable @inline(__always)
  static func combine<F: BinaryFunction, A: LaneElement, B: LaneElement, Y: LaneElement>(
    _ f: F.Type, _ a: UnsafePointer<A>, _ b: UnsafePointer<B>, into y: UnsafeMutablePointer<Y>,
    count: Int
  ) {
    Parallel.forEachRun(of: count, grain: grain) { run in
      let (a, b, y) = (a + run.lowerBound, b + run.lowerBound, y + run.lowerBound)
      forEachVector(run.count) { i in
        Y.store(F.value(A.load(a + i), B.load(b + i)), y + i)
      } partial: { i, lanes in
        Y.store(
          F.value(A.load(a + i, first: lanes), B.load(b + i, first: lanes)), y + i, first: lanes)
      }
    }
  }
}

/// Numbers that are read and written sixteen at a time as float32.
@usableFromInline
protocol LaneElement {
  static func load(_ x: UnsafePointer<Self>) -> Vector
  static func load(_ x: UnsafePointer<Self>, first count: Int) -> Vector
  static func store(_ x: Vector, _ y: UnsafeMutablePointer<Self>)
  static func store(_ x: Vector, _ y: UnsafeMutablePointer<Self>, first count: Int)
}

extension Float: LaneElement {
  @inlinable @inline(__always)
  static func load(_ x: UnsafePointer<Float>) -> Vector { Vector(x) }
  @inlinable @inline(__always)
  static func load(_ x: UnsafePointer<Float>, first count: Int) -> Vector {
    Vector(x, first: count)
  }
  @inlinable @inline(__always)
  static func store(_ x: Vector, _ y: UnsafeMutablePointer<Float>) { x.store(y) }
  @inlinable @inline(__always)
  static func store(_ x: Vector, _ y: UnsafeMutablePointer<Float>, first count: Int) {
    x.store(y, first: count)
  }
}

extension BFloat16: LaneElement {
  @inlinable @inline(__always)
  static func load(_ x: UnsafePointer<BFloat16>) -> Vector { Vector(x) }
  @inlinable @inline(__always)
  static func load(_ x: UnsafePointer<BFloat16>, first count: Int) -> Vector {
    Vector(x, first: count)
  }
  @inlinable @inline(__always)
  static func store(_ x: Vector, _ y: UnsafeMutablePointer<BFloat16>) { x.store(y) }
  @inlinable @inline(__always)
  static func store(_ x: Vector, _ y: UnsafeMutablePointer<BFloat16>, first count: Int) {
    x.store(y, first: count)
  }
}
