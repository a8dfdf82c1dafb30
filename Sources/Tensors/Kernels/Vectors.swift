/// Sixteen float32 lanes: one AVX-512 register; two of AVX2 or four of SSE elsewhere.
public typealias Vector = SIMD16<Float>

extension SIMD16<Float> {
  @inlinable @inline(__always)
  public init(_ pointer: UnsafePointer<Float>) {
    self = UnsafeRawPointer(pointer).loadUnaligned(as: SIMD16<Float>.self)
  }

  /// Reads the first `count` lanes; the others are zero.
  @inlinable @inline(__always)
  public init(_ pointer: UnsafePointer<Float>, first count: Int) {
    self = .zero
    var lane = 0
    if count >= 8 {
      lowHalf = UnsafeRawPointer(pointer).loadUnaligned(as: SIMD8<Float>.self)
      lane = 8
    }
    while lane < count {
      self[lane] = pointer[lane]
      lane &+= 1
    }
  }

  @inlinable @inline(__always)
  public func store(_ pointer: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: self, as: SIMD16<Float>.self)
  }

  @inlinable @inline(__always)
  public func store(_ pointer: UnsafeMutablePointer<Float>, first count: Int) {
    var lane = 0
    if count >= 8 {
      UnsafeMutableRawPointer(pointer).storeBytes(of: lowHalf, as: SIMD8<Float>.self)
      lane = 8
    }
    while lane < count {
      pointer[lane] = self[lane]
      lane &+= 1
    }
  }
}

/// Sums and maxima across the lanes, by halves: always the same order, hence the same rounding.
extension SIMD16<Float> {
  @inlinable @inline(__always)
  public var laneSum: Float {
    let eight = lowHalf + highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }

  @inlinable @inline(__always)
  public var laneMaximum: Float {
    let eight = lowHalf.replacing(with: highHalf, where: lowHalf .< highHalf)
    let four = eight.lowHalf.replacing(with: eight.highHalf, where: eight.lowHalf .< eight.highHalf)
    let two = four.lowHalf.replacing(with: four.highHalf, where: four.lowHalf .< four.highHalf)
    return Swift.max(two.x, two.y)
  }
}

/// Calls `body` with (first index, lanes in use) for every run of up to sixteen places.
@inlinable @inline(__always)
public func forEachVector(
  _ count: Int, full: (Int) -> Void, partial: (_ start: Int, _ lanes: Int) -> Void
) {
  var i = 0
  while i &+ 16 <= count {
    full(i)
    i &+= 16
  }
  if i < count { partial(i, count &- i) }
}

/// y[i] = f(x[i])
@inlinable @inline(__always)
public func mapVectors(
  _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int,
  _ f: (Vector) -> Vector
) {
  forEachVector(count) { i in
    f(Vector(x + i)).store(y + i)
  } partial: { i, lanes in
    f(Vector(x + i, first: lanes)).store(y + i, first: lanes)
  }
}

/// y[i] = f(a[i], b[i])
@inlinable @inline(__always)
public func mapVectors(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
  count: Int, _ f: (Vector, Vector) -> Vector
) {
  forEachVector(count) { i in
    f(Vector(a + i), Vector(b + i)).store(y + i)
  } partial: { i, lanes in
    f(Vector(a + i, first: lanes), Vector(b + i, first: lanes)).store(y + i, first: lanes)
  }
}

/// The sum of f(x[i]).
@inlinable @inline(__always)
public func sumVectors(
  _ x: UnsafePointer<Float>, count: Int, _ f: (Vector) -> Vector
) -> Float {
  var sum = Vector.zero
  forEachVector(count) { i in
    sum += f(Vector(x + i))
  } partial: { i, lanes in
    let mask = laneIndices .< Float(lanes)
    sum += Vector.zero.replacing(with: f(Vector(x + i, first: lanes)), where: mask)
  }
  return sum.laneSum
}

/// The sum of f(a[i], b[i]).
@inlinable @inline(__always)
public func sumVectors(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int,
  _ f: (Vector, Vector) -> Vector
) -> Float {
  var sum = Vector.zero
  forEachVector(count) { i in
    sum += f(Vector(a + i), Vector(b + i))
  } partial: { i, lanes in
    let mask = laneIndices .< Float(lanes)
    let value = f(Vector(a + i, first: lanes), Vector(b + i, first: lanes))
    sum += Vector.zero.replacing(with: value, where: mask)
  }
  return sum.laneSum
}

/// The sum of a[i] · b[i].
@inlinable @inline(__always)
public func dotProduct<Number: LaneElement>(
  _ a: UnsafePointer<Number>, _ b: UnsafePointer<Number>, count: Int
) -> Float {
  var sum = Vector.zero
  forEachVector(count) { i in
    sum = sum.addingProduct(Number.load(a + i), Number.load(b + i))
  } partial: { i, lanes in
    sum += Number.load(a + i, first: lanes) * Number.load(b + i, first: lanes)
  }
  return sum.laneSum
}

/// y[i] = x[i]; faster than a call of the system's for a head's row.
@inlinable @inline(__always)
public func copyVectors<Number: BitwiseCopyable>(
  _ x: UnsafePointer<Number>, to y: UnsafeMutablePointer<Number>, count: Int
) {
  let lanes = MemoryLayout<SIMD16<UInt16>>.stride / MemoryLayout<Number>.stride
  var i = 0
  while i &+ lanes <= count {
    let bits = UnsafeRawPointer(x + i).loadUnaligned(as: SIMD16<UInt16>.self)
    UnsafeMutableRawPointer(y + i).storeBytes(of: bits, as: SIMD16<UInt16>.self)
    i &+= lanes
  }
  while i < count {
    y[i] = x[i]
    i &+= 1
  }
}

/// The largest of x[i]; −∞ of no values.
@inlinable @inline(__always)
public func maximumOfVectors(_ x: UnsafePointer<Float>, count: Int) -> Float {
  var maximum = Vector(repeating: -.infinity)
  var last = -Float.infinity
  forEachVector(count) { i in
    // `pointwiseMax` compiles to scalar code, twenty times slower.
    let next = Vector(x + i)
    maximum = maximum.replacing(with: next, where: maximum .< next)
  } partial: { i, lanes in
    for lane in i..<i + lanes { last = Swift.max(last, x[lane]) }
  }
  return Swift.max(maximum.laneMaximum, last)
}

/// 0, 1, … 15.
@usableFromInline
let laneIndices = Vector(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
