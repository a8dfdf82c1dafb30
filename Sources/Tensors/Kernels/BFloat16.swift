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

extension SIMD16<Float> {
  @inlinable @inline(__always)
  public init(_ pointer: UnsafePointer<BFloat16>) {
    let halves = UnsafeRawPointer(pointer).loadUnaligned(as: SIMD16<UInt16>.self)
    // A loop over the lanes compiles to one instruction, the initialiser to a call.
    var bits = SIMD16<UInt32>.zero
    for lane in 0..<16 { bits[lane] = UInt32(halves[lane]) }
    self = unsafeBitCast(bits &<< 16, to: Vector.self)
  }

  /// Reads the first `count` lanes; the others are zero.
  @inlinable @inline(__always)
  public init(_ pointer: UnsafePointer<BFloat16>, first count: Int) {
    var bits = SIMD16<UInt16>.zero
    var lane = 0
    if count >= 8 {
      bits.lowHalf = UnsafeRawPointer(pointer).loadUnaligned(as: SIMD8<UInt16>.self)
      lane = 8
    }
    while lane < count {
      bits[lane] = pointer[lane].bits
      lane &+= 1
    }
    self = withUnsafePointer(to: bits) { bits in
      bits.withMemoryRebound(to: BFloat16.self, capacity: 16) { Vector($0) }
    }
  }

  /// Rounds to the nearest, ties to even.
  @inlinable @inline(__always)
  public func store(_ pointer: UnsafeMutablePointer<BFloat16>, first count: Int) {
    let rounded = cplatform_rounded(self)
    var lane = 0
    if count >= 8 {
      UnsafeMutableRawPointer(pointer).storeBytes(of: rounded.lowHalf, as: SIMD8<UInt16>.self)
      lane = 8
    }
    while lane < count {
      UnsafeMutableRawPointer(pointer + lane).storeBytes(of: rounded[lane], as: UInt16.self)
      lane &+= 1
    }
  }

  /// Rounds to the nearest, ties to even.
  @inlinable @inline(__always)
  public func store(_ pointer: UnsafeMutablePointer<BFloat16>) {
    UnsafeMutableRawPointer(pointer)
      .storeBytes(of: cplatform_rounded(self), as: SIMD16<UInt16>.self)
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
    Vector(x + i).store(target + i)
  } partial: { i, lanes in
    Vector(x + i, first: lanes).store(target + i, first: lanes)
  }
}
