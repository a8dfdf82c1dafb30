import CPlatform

/// Elementary functions of sixteen lanes at once, within about two units in the last place.
///
/// SIMD methods such as `rounded()` and conversions to integers fall back to scalar code, so
/// rounding is done by adding and subtracting 1.5 · 2²³, and exponents are built from its bits.
extension SIMD16<Float> {
  /// The square root of each lane, correctly rounded; `squareRoot()` takes one lane after the other.
  @inlinable @inline(__always)
  public var squareRoots: Vector { cplatform_square_roots(self) }

  /// e to the power of each lane: Cody–Waite reduction by ln 2 and a polynomial of degree 6
  /// (coefficients of Cephes' expf). Below −87.3 the result is the least normal number or zero; what
  /// is not a number stays so, which `pointwiseMin` and `pointwiseMax` would hide.
  @_transparent
  public func exponential() -> Vector {
    let raised = self.replacing(with: -87.3, where: self .< -87.3)
    let x = raised.replacing(with: 88.3, where: raised .> 88.3)
    let shift = Vector(repeating: 12_582_912)
    let shifted = shift.addingProduct(x, Vector(repeating: 1.442_695_04))
    let n = shifted - shift
    var r = x.addingProduct(n, Vector(repeating: -0.693_359_375))
    r = r.addingProduct(n, Vector(repeating: 2.121_944_4e-4))
    var p = Vector(repeating: 1.987_569_15e-4)
    p = Vector(repeating: 1.398_199_95e-3).addingProduct(p, r)
    p = Vector(repeating: 8.333_451_9e-3).addingProduct(p, r)
    p = Vector(repeating: 4.166_579_6e-2).addingProduct(p, r)
    p = Vector(repeating: 1.666_666_55e-1).addingProduct(p, r)
    p = Vector(repeating: 5.000_000_1e-1).addingProduct(p, r)
    p = (r + 1).addingProduct(p, r * r)
    // 2ⁿ as a product: added to the exponent of a NaN it could give a number.
    let power = (unsafeBitCast(shifted, to: SIMD16<UInt32>.self) &<< 23) &+ 0x3f80_0000
    return p * unsafeBitCast(power, to: Vector.self)
  }

  /// e to the power of each lane with a relative error below 7 · 10⁻⁶, for numbers of at most 88 whose
  /// powers are then rounded to bfloat16: a polynomial of degree 4 after reduction by ln 2. Below −87.3 the
  /// result is the least normal number or zero; what is not a number stays so.
  @_transparent
  public func roundedExponential() -> Vector {
    let x = self.replacing(with: -87.3, where: self .< -87.3)
    let shift = Vector(repeating: 12_582_912)
    let shifted = shift.addingProduct(x, Vector(repeating: 1.442_695_04))
    let r = x.addingProduct(shifted - shift, Vector(repeating: -0.693_147_18))
    var p = Vector(repeating: 0.167_570_17).addingProduct(r, Vector(repeating: 0.041_262_455))
    p = Vector(repeating: 0.500_055_3).addingProduct(p, r)
    p = (r + 1).addingProduct(p, r * r)
    let power = (unsafeBitCast(shifted, to: SIMD16<UInt32>.self) &<< 23) &+ 0x3f80_0000
    return p * unsafeBitCast(power, to: Vector.self)
  }

  /// The logistic function `1 / (1 + exp(−x))`; zero below −87, where it is less than 2 · 10⁻³⁸.
  @inlinable @inline(__always)
  public func logistic() -> Vector {
    let share = 1 / (1 + (Vector.zero - self).exponential())
    return share.replacing(with: 0, where: self .< -87)
  }

  /// The error function: an odd polynomial near zero, `1 − exp(polynomial)` beyond 0.9277.
  @inlinable @inline(__always)
  public func errorFunction() -> Vector {
    let signBit = unsafeBitCast(self, to: SIMD16<UInt32>.self) & 0x8000_0000
    let t = unsafeBitCast(
      unsafeBitCast(self, to: SIMD16<UInt32>.self) & 0x7fff_ffff, to: Vector.self)
    let s = self * self
    var far = Vector(repeating: 3.831_971_26e-4).addingProduct(
      Vector(repeating: -1.728_534_7e-5), t)
    let even = Vector(repeating: 2.425_462_19e-2).addingProduct(
      Vector(repeating: -3.883_964_38e-3), t)
    far = even.addingProduct(far, s)
    far = Vector(repeating: -1.067_778_77e-1).addingProduct(far, t)
    far = Vector(repeating: -6.348_468_71e-1).addingProduct(far, t)
    far = Vector(repeating: -1.287_175_12e-1).addingProduct(far, t)
    far = (Vector.zero - t).addingProduct(far, t)
    let farValue = unsafeBitCast(
      unsafeBitCast(1 - far.exponential(), to: SIMD16<UInt32>.self) | signBit, to: Vector.self)
    var near = Vector(repeating: -5.967_617_03e-4)
    near = Vector(repeating: 4.991_194_23e-3).addingProduct(near, s)
    near = Vector(repeating: -2.676_813_49e-2).addingProduct(near, s)
    near = Vector(repeating: 1.128_199_25e-1).addingProduct(near, s)
    near = Vector(repeating: -3.761_253_36e-1).addingProduct(near, s)
    near = Vector(repeating: 1.283_791_66e-1).addingProduct(near, s)
    near = self.addingProduct(near, self)
    return near.replacing(with: farValue, where: t .> 0.927_734_375)
  }
}
