/// Blocks of 256 numbers ("K" formats): parts of 32 or 16 numbers have small whole scales of their own,
/// which multiply the block's scale in half precision.
///
/// All products have at most 24 significant bits and are exact.

/// 144 bytes: d and dmin, 12 bytes of scales and least values, 128 bytes of q.
/// `x = d · scale · q − dmin · least`; 32 bytes of q are two parts, the lower halves first.
@inline(__always)
func expandQ4K(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
  let parts = PartScales(block)
  for part in 0..<8 {
    for half in 0..<2 {
      let bytes = block + (16 &+ part / 2 &* 32 &+ half &* 16)
      let pair = bytes.loadUnaligned(as: SIMD16<UInt8>.self)
      let q = part % 2 == 0 ? pair & 15 : pair &>> 4
      let x = Vector(lanesOf: q) * parts.scales[part] - parts.least[part]
      x.store(target + (part &* 32 &+ half &* 16))
    }
  }
}

/// 176 bytes: as Q4_K, with 32 bytes of fifth bits before q; bit p of byte i belongs to number i of
/// part p.
@inline(__always)
func expandQ5K(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
  let parts = PartScales(block)
  for part in 0..<8 {
    for half in 0..<2 {
      let high = (block + (16 &+ half &* 16)).loadUnaligned(as: SIMD16<UInt8>.self)
      let bytes = block + (48 &+ part / 2 &* 32 &+ half &* 16)
      let pair = bytes.loadUnaligned(as: SIMD16<UInt8>.self)
      let fifth = ((high &>> UInt8(part)) & 1) &<< 4
      let q = (part % 2 == 0 ? pair & 15 : pair &>> 4) | fifth
      let x = Vector(lanesOf: q) * parts.scales[part] - parts.least[part]
      x.store(target + (part &* 32 &+ half &* 16))
    }
  }
}

/// 210 bytes: 128 bytes of lower halves of q, 64 bytes of upper pairs of bits, 16 signed scales, d.
/// `x = d · scale · (q − 32)`; each half of the block has 64 bytes of lower bits, 32 of upper ones.
@inline(__always)
func expandQ6K(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
  let d = Float16.number(block + 208)
  let scales = Vector(lanesOf: (block + 192).loadUnaligned(as: SIMD16<Int8>.self)) * d
  for part in 0..<16 {
    // 8 parts of 16 numbers make a half: their lower bits lie in 4 runs of 16 bytes, twice over.
    let (half, within) = (part / 8, part % 8)
    let low = (block + (half &* 64 &+ within % 4 &* 16)).loadUnaligned(as: SIMD16<UInt8>.self)
    let high = (block + (128 &+ half &* 32 &+ within % 2 &* 16))
      .loadUnaligned(as: SIMD16<UInt8>.self)
    let upper = ((high &>> UInt8(within / 2 &* 2)) & 3) &<< 4
    let q = (within < 4 ? low & 15 : low &>> 4) | upper
    ((Vector(lanesOf: q) - 32) * scales[part]).store(target + part &* 16)
  }
}

/// The scales and least values of the 8 parts of a Q4_K or Q5_K block: 6 bits each, packed into 12
/// bytes. Bytes 0–3 have the first four scales, bytes 4–7 the first four least values; the other
/// four of each have their lower 4 bits in bytes 8–11 and their upper 2 at the top of those before.
private struct PartScales {
  let scales: SIMD8<Float>
  let least: SIMD8<Float>

  @inline(__always)
  init(_ block: UnsafeRawPointer) {
    let a = (block + 4).loadUnaligned(as: UInt32.self)
    let b = (block + 8).loadUnaligned(as: UInt32.self)
    let c = (block + 12).loadUnaligned(as: UInt32.self)
    let upperScales = (c & 0x0f0f_0f0f) | (a &>> 2 & 0x3030_3030)
    let upperLeast = (c &>> 4 & 0x0f0f_0f0f) | (b &>> 2 & 0x3030_3030)
    scales = PartScales.floats(a & 0x3f3f_3f3f, upperScales) * Float16.number(block)
    least = PartScales.floats(b & 0x3f3f_3f3f, upperLeast) * Float16.number(block + 2)
  }

  @inline(__always)
  private static func floats(_ lower: UInt32, _ upper: UInt32) -> SIMD8<Float> {
    let bytes = unsafeBitCast(UInt64(lower) | UInt64(upper) &<< 32, to: SIMD8<UInt8>.self)
    var floats = SIMD8<Float>.zero
    for lane in 0..<8 { floats[lane] = Float(bytes[lane]) }
    return floats
  }
}
