/// Conversions of sixteen lanes at once.
///
/// They are loops over the lanes because the initialisers between SIMD types are calls, while such a
/// loop, once inlined, compiles to one instruction or two.
extension SIMD16<Float> {
  @inline(__always)
  init(lanesOf x: SIMD16<Float16>) {
    self = .zero
    for lane in 0..<16 { self[lane] = Float(x[lane]) }
  }

  @inline(__always)
  init(lanesOf x: SIMD16<UInt8>) {
    self = .zero
    for lane in 0..<16 { self[lane] = Float(x[lane]) }
  }

  @inline(__always)
  init(lanesOf x: SIMD16<Int8>) {
    self = .zero
    for lane in 0..<16 { self[lane] = Float(x[lane]) }
  }
}

extension SIMD16<UInt32> {
  @inline(__always)
  init(lanesOf x: SIMD16<UInt8>) {
    self = .zero
    for lane in 0..<16 { self[lane] = UInt32(x[lane]) }
  }

  @inlinable @inline(__always)
  init(lanesOf x: SIMD16<UInt16>) {
    self = .zero
    for lane in 0..<16 { self[lane] = UInt32(x[lane]) }
  }
}
