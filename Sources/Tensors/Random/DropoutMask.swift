/// Where a row of random draws belongs: which sample of the global batch, which place within it.
public struct RandomPlace: Sendable, Equatable {
  public var sample: UInt32
  public var position: UInt32

  public init(sample: UInt32 = 0, position: UInt32 = 0) {
    self.sample = sample
    self.position = position
  }
}

/// Dropout: each value is zeroed with probability `rate`, the others are divided by 1 − rate.
///
/// A draw has 16 bits and is a function of (key, site, sample, position, column) alone, so the
/// backward pass draws the mask anew instead of storing it, and neither packing nor threads nor
/// the split of a batch over machines changes it.
public struct Dropout: Sendable {
  public let rate: Float
  public let generator: Philox
  /// The use in the network: one number for every place where dropout acts.
  public let site: UInt32
  /// Draws below this number drop the value.
  @usableFromInline let threshold: UInt32
  /// 1 / (1 − the rate that 16 bits can express).
  public let scale: Float

  /// - Precondition: `rate` lies in [0, 1).
  public init(rate: Float, generator: Philox, site: UInt32) {
    precondition(rate >= 0 && rate < 1, "a dropout rate lies in [0, 1), not \(rate)")
    self.rate = rate
    self.generator = generator
    self.site = site
    threshold = UInt32((rate * 65_536).rounded())
    scale = 65_536 / (65_536 - Float(threshold))
  }

  /// Multiplies `count` values of one row by its mask.
  public func apply(
    to row: UnsafeMutablePointer<Float>, from source: UnsafePointer<Float>, count: Int,
    place: RandomPlace
  ) {
    forEachMask(count: count, place: place) { column, kept in
      let left = count - column
      if left >= 16 {
        Vector.zero.replacing(with: Vector(source + column) * scale, where: kept)
          .store(row + column)
      } else {
        Vector.zero.replacing(with: Vector(source + column, first: left) * scale, where: kept)
          .store(row + column, first: left)
      }
    }
  }

  /// Calls the closure with every sixteenth column of one row below `count`, and with the lanes that
  /// are kept from there on; kept values are to be multiplied by `scale`.
  @inlinable @inline(__always)
  public func forEachMask(
    count: Int, place: RandomPlace, _ body: (_ column: Int, _ kept: SIMDMask<SIMD16<Int32>>) -> Void
  ) {
    let least = Vector(repeating: 0x1p23 + Float(threshold))
    var column = 0
    var block: UInt32 = 0
    while column < count {
      let words = generator.blocks(
        first: block, position: place.position, sample: place.sample, site: site)
      block &+= 16
      // Four words of sixteen lanes, two draws a word: 128 columns.
      for index in 0..<8 {
        if column >= count { return }
        let word = index < 4 ? (index < 2 ? words.0 : words.1) : (index < 6 ? words.2 : words.3)
        let draws = index & 1 == 0 ? word & 0xffff : word &>> 16
        // Draws as the floats 2²³ + draw: integers of SIMD types are compared lane by lane.
        body(column, unsafeBitCast(draws | 0x4B00_0000, to: Vector.self) .>= least)
        column &+= 16
      }
    }
  }
}

extension Philox {
  /// Sixteen neighbouring counters at once: lane i holds the words at counter
  /// (first + i, position, sample, site).
  @inlinable @inline(__always)
  func blocks(
    first: UInt32, position: UInt32, sample: UInt32, site: UInt32
  ) -> (
    SIMD16<UInt32>, SIMD16<UInt32>, SIMD16<UInt32>, SIMD16<UInt32>
  ) {
    var x =
      SIMD16<UInt32>(repeating: first)
      &+ SIMD16<UInt32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    var y = SIMD16<UInt32>(repeating: position)
    var z = SIMD16<UInt32>(repeating: sample)
    var w = SIMD16<UInt32>(repeating: site)
    var k = key
    for _ in 0..<10 {
      let first = Philox.wideProduct(x, 0xD251_1F53)
      let second = Philox.wideProduct(z, 0xCD9E_8D57)
      (x, y, z, w) = (
        second.high ^ y ^ SIMD16(repeating: k.x), second.low,
        first.high ^ w ^ SIMD16(repeating: k.y), first.low
      )
      k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return (x, y, z, w)
  }

  /// The high and low halves of the 64-bit products, by even and odd lanes.
  @inlinable @inline(__always)
  static func wideProduct(
    _ a: SIMD16<UInt32>, _ factor: UInt32
  ) -> (high: SIMD16<UInt32>, low: SIMD16<UInt32>) {
    let pairs = unsafeBitCast(a, to: SIMD8<UInt64>.self)
    let lower = SIMD8<UInt64>(repeating: 0xffff_ffff)
    let wide = SIMD8<UInt64>(repeating: UInt64(factor))
    let even = (pairs & lower) &* wide
    let odd = (pairs &>> 32) &* wide
    let high = (even &>> 32) | (odd & ~lower)
    let low = (even & lower) | (odd &<< 32)
    return (
      unsafeBitCast(high, to: SIMD16<UInt32>.self), unsafeBitCast(low, to: SIMD16<UInt32>.self)
    )
  }
}
