import CPlatform

/// The upper half of a float32.
public struct BFloat16: BitwiseCopyable, Sendable {
  @usableFromInline var bits: UInt16

  /// Rounds to the nearest, ties to even.
  @inlinable @inline(__always)
  public init(_ value: Float) {
    let bits = value.bitPattern
    self.bits = UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
  }

  @inlinable @inline(__always)
  public var float: Float { Float(bitPattern: UInt32(bits) &<< 16) }
}

extension BFloat16: LaneElement {
  @inlinable @inline(__always)
  public static func load(_ x: UnsafePointer<BFloat16>) -> Vector {
    let halves = UnsafeRawPointer(x).loadUnaligned(as: SIMD16<UInt16>.self)
    return unsafeBitCast(SIMD16<UInt32>(lanesOf: halves) &<< 16, to: Vector.self)
  }

  @inlinable @inline(__always)
  public static func load(_ x: UnsafePointer<BFloat16>, first count: Int) -> Vector {
    var bits = SIMD16<UInt16>.zero
    var lane = 0
    if count >= 8 {
      bits.lowHalf = UnsafeRawPointer(x).loadUnaligned(as: SIMD8<UInt16>.self)
      lane = 8
    }
    while lane < count {
      bits[lane] = x[lane].bits
      lane &+= 1
    }
    return withUnsafePointer(to: bits) { bits in
      bits.withMemoryRebound(to: BFloat16.self, capacity: 16) { load($0) }
    }
  }

  /// Rounds to the nearest, ties to even.
  @inlinable @inline(__always)
  public static func store(_ x: Vector, _ y: UnsafeMutablePointer<BFloat16>) {
    UnsafeMutableRawPointer(y).storeBytes(of: cplatform_rounded(x), as: SIMD16<UInt16>.self)
  }

  /// Rounds to the nearest, ties to even.
  @inlinable @inline(__always)
  public static func store(_ x: Vector, _ y: UnsafeMutablePointer<BFloat16>, first count: Int) {
    let rounded = cplatform_rounded(x)
    var lane = 0
    if count >= 8 {
      UnsafeMutableRawPointer(y).storeBytes(of: rounded.lowHalf, as: SIMD8<UInt16>.self)
      lane = 8
    }
    while lane < count {
      UnsafeMutableRawPointer(y + lane).storeBytes(of: rounded[lane], as: UInt16.self)
      lane &+= 1
    }
  }

  @inlinable @inline(__always)
  public static func value<F: UnaryFunction>(_ f: F.Type, _ x: Vector) -> Vector {
    F.roundedValue(x)
  }
  @inlinable @inline(__always)
  public static func value<F: BinaryFunction>(_ f: F.Type, _ a: Vector, _ b: Vector) -> Vector {
    F.roundedValue(a, b)
  }
}

/// target[i] = x[i], rounded.
@inlinable @inline(__always)
public func roundVectors<Number: LaneElement>(
  _ x: UnsafePointer<Float>, into target: UnsafeMutablePointer<Number>, count: Int
) {
  forEachVector(count) { i in
    Number.store(Vector(x + i), target + i)
  } partial: { i, lanes in
    Number.store(Vector(x + i, first: lanes), target + i, first: lanes)
  }
}

/// target[i] = x[i]
@inlinable @inline(__always)
public func expandVectors(
  _ x: UnsafePointer<BFloat16>, into target: UnsafeMutablePointer<Float>, count: Int
) {
  forEachVector(count) { i in
    BFloat16.load(x + i).store(target + i)
  } partial: { i, lanes in
    BFloat16.load(x + i, first: lanes).store(target + i, first: lanes)
  }
}
