import CPlatform

/// y = x · Wᵀ + keeping · y for a few rows of x, W in a form in which each number stands by itself.
///
/// Generation multiplies every weight by one row or a few: reading the weights is then the whole cost,
/// so they are widened in registers and never written out. Every sum runs over the inputs in
/// the same order, however many rows there are.
/// - Parameters:
///   - weights: `outputs` rows of `x.columns` numbers, without gaps.
///   - y: `[x.rows, outputs]`, `yStride` values from row to row.
@inline(__always)
func fewRowProduct<Element: StoredElement>(
  _ element: Element.Type, _ weights: UnsafeRawPointer, outputs: Int, x: MatrixView,
  into y: UnsafeMutablePointer<Float>, yStride: Int, keeping: Float
) {
  let rowBytes = x.columns &* Element.byteCount
  var output = 0
  while output < outputs {
    let count = min(4, outputs &- output)
    let four = FourWeightRows<Element>(
      weights + output &* rowBytes, rowBytes: rowBytes, count: count, inputs: x.columns)
    var row = 0
    while row &+ 2 <= x.rows {
      let (first, second) = four.dots(
        x.pointer + row &* x.stride, x.pointer + (row &+ 1) &* x.stride)
      let place = y + (row &* yStride &+ output)
      put(first, count, place, keeping)
      put(second, count, place + yStride, keeping)
      row &+= 2
    }
    if row < x.rows {
      put(four.dots(x.pointer + row &* x.stride), count, y + (row &* yStride &+ output), keeping)
    }
    output &+= 4
  }
}

@inline(__always)
private func put(
  _ sums: SIMD4<Float>, _ count: Int, _ place: UnsafeMutablePointer<Float>, _ keeping: Float
) {
  for lane in 0..<count {
    place[lane] = keeping == 0 ? sums[lane] : sums[lane] + keeping * place[lane]
  }
}

/// Four rows of weights that are multiplied by the same x; where there are fewer, the last one again.
private struct FourWeightRows<Element: StoredElement> {
  let a: UnsafeRawPointer
  let b: UnsafeRawPointer
  let c: UnsafeRawPointer
  let d: UnsafeRawPointer
  let inputs: Int
  private let ahead: Int

  @inline(__always)
  init(_ first: UnsafeRawPointer, rowBytes: Int, count: Int, inputs: Int) {
    a = first
    b = first + min(1, count &- 1) &* rowBytes
    c = first + min(2, count &- 1) &* rowBytes
    d = first + min(3, count &- 1) &* rowBytes
    self.inputs = inputs
    ahead = 4 &* rowBytes
  }

  /// Asks for the next four rows' numbers: the processor's own foresight fetches at half the rate.
  @inline(__always)
  private func prefetch(_ place: Int) {
    cplatform_prefetch(a + (place &+ ahead))
    cplatform_prefetch(b + (place &+ ahead))
    cplatform_prefetch(c + (place &+ ahead))
    cplatform_prefetch(d + (place &+ ahead))
  }

  @inline(__always)
  func dots(_ x: UnsafePointer<Float>) -> SIMD4<Float> {
    var sums = FourSums()
    forEachVector(inputs) { i in
      let place = i &* Element.byteCount
      prefetch(place)
      let vector = Vector(x + i)
      sums.add(
        vector, Element.vector(a + place), Element.vector(b + place), Element.vector(c + place),
        Element.vector(d + place))
    } partial: { i, lanes in
      let place = i &* Element.byteCount
      let vector = Vector(x + i, first: lanes)
      sums.add(
        vector, Element.vector(a + place, first: lanes), Element.vector(b + place, first: lanes),
        Element.vector(c + place, first: lanes), Element.vector(d + place, first: lanes))
    }
    return sums.total
  }

  /// Two rows of x at once: each weight is widened once for both.
  @inline(__always)
  func dots(
    _ x: UnsafePointer<Float>, _ otherX: UnsafePointer<Float>
  ) -> (SIMD4<Float>, SIMD4<Float>) {
    var first = FourSums()
    var second = FourSums()
    forEachVector(inputs) { i in
      let place = i &* Element.byteCount
      prefetch(place)
      let (wa, wb) = (Element.vector(a + place), Element.vector(b + place))
      let (wc, wd) = (Element.vector(c + place), Element.vector(d + place))
      first.add(Vector(x + i), wa, wb, wc, wd)
      second.add(Vector(otherX + i), wa, wb, wc, wd)
    } partial: { i, lanes in
      let place = i &* Element.byteCount
      let wa = Element.vector(a + place, first: lanes)
      let wb = Element.vector(b + place, first: lanes)
      let wc = Element.vector(c + place, first: lanes)
      let wd = Element.vector(d + place, first: lanes)
      first.add(Vector(x + i, first: lanes), wa, wb, wc, wd)
      second.add(Vector(otherX + i, first: lanes), wa, wb, wc, wd)
    }
    return (first.total, second.total)
  }
}

/// The sums of one row of x with four rows of weights.
private struct FourSums {
  var a = Vector.zero
  var b = Vector.zero
  var c = Vector.zero
  var d = Vector.zero

  @inline(__always)
  init() {}

  @inline(__always)
  mutating func add(_ x: Vector, _ wa: Vector, _ wb: Vector, _ wc: Vector, _ wd: Vector) {
    a = a.addingProduct(x, wa)
    b = b.addingProduct(x, wb)
    c = c.addingProduct(x, wc)
    d = d.addingProduct(x, wd)
  }

  @inline(__always)
  var total: SIMD4<Float> { SIMD4(a.laneSum, b.laneSum, c.laneSum, d.laneSum) }
}
