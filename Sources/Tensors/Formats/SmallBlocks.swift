/// Blocks of 32 numbers: a scale `d` (and a least value `m`) in half precision, then small whole
/// numbers q. Of the 16 bytes of 4-bit numbers, the lower halves are the first sixteen numbers.
///
/// A product `d · q` has at most 19 significant bits and is exact, so `d · q + m` is rounded once.

/// 18 bytes: d, 16 bytes of q. `x = d · (q − 8)`.
@inline(__always)
func expandQ40(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
  let d = Float16.number(block)
  let q = (block + 2).loadUnaligned(as: SIMD16<UInt8>.self)
  ((Vector(lanesOf: q & 15) - 8) * d).store(target)
  ((Vector(lanesOf: q &>> 4) - 8) * d).store(target + 16)
}

/// 20 bytes: d, m, 16 bytes of q. `x = d · q + m`.
@inline(__always)
func expandQ41(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
  let d = Float16.number(block)
  let m = Float16.number(block + 2)
  let q = (block + 4).loadUnaligned(as: SIMD16<UInt8>.self)
  (Vector(lanesOf: q & 15) * d + m).store(target)
  (Vector(lanesOf: q &>> 4) * d + m).store(target + 16)
}

/// 22 bytes: d, 4 bytes with the fifth bit of each q, 16 bytes of their lower bits.
/// `x = d · (q − 16)`.
@inline(__always)
func expandQ50(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
  let d = Float16.number(block)
  let (first, second) = fiveBits(high: block + 2, low: block + 6)
  ((first - 16) * d).store(target)
  ((second - 16) * d).store(target + 16)
}

/// 24 bytes: d, m, then as Q5_0. `x = d · q + m`.
@inline(__always)
func expandQ51(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
  let d = Float16.number(block)
  let m = Float16.number(block + 2)
  let (first, second) = fiveBits(high: block + 4, low: block + 8)
  (first * d + m).store(target)
  (second * d + m).store(target + 16)
}

/// 34 bytes: d, 32 signed bytes q. `x = d · q`.
@inline(__always)
func expandQ80(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
  let d = Float16.number(block)
  let first = (block + 2).loadUnaligned(as: SIMD16<Int8>.self)
  let second = (block + 18).loadUnaligned(as: SIMD16<Int8>.self)
  (Vector(lanesOf: first) * d).store(target)
  (Vector(lanesOf: second) * d).store(target + 16)
}

/// The 5-bit numbers of a block: bit i of `high` is the highest of number i.
@inline(__always)
private func fiveBits(high: UnsafeRawPointer, low: UnsafeRawPointer) -> (Vector, Vector) {
  let bits = high.loadUnaligned(as: UInt32.self)
  let q = low.loadUnaligned(as: SIMD16<UInt8>.self)
  return (fiveBits(bits, q & 15), fiveBits(bits &>> 16, q &>> 4))
}

@inline(__always)
private func fiveBits(_ high: UInt32, _ low: SIMD16<UInt8>) -> Vector {
  let lanes = SIMD16<UInt32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
  let fifth = (SIMD16<UInt32>(repeating: high) &>> lanes & 1) &<< 4
  // The bits of 2²³ + q. (To choose between q and q + 16 by a mask of integers is scalar code.)
  let bits = SIMD16<UInt32>(lanesOf: low) | fifth | 0x4b00_0000
  return unsafeBitCast(bits, to: Vector.self) - 0x1p23
}
