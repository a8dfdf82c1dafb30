/// Calls the body with runs of a weight's outputs for `fewRowProduct`, over all threads: long ones,
/// since it takes the processor some pages to see what will be read.
/// - Parameters:
///   - x: What is multiplied.
///   - precision: As what the products count in a profile.
func forEachFewRowRun(
  of outputs: Int, rowBytes: Int, x: MatrixView, precision: ProductPrecision,
  _ body: (Range<Int>) -> Void
) {
  let share = (outputs + Parallel.threadCount - 1) / Parallel.threadCount
  let bytes = min(share * rowBytes, 512 << 10)
  // Rows may be longer than a run should be.
  let rows = max(1, max(bytes, 16 << 10) / rowBytes)
  Parallel.forEachRun(of: outputs, grain: (rows + 3) / 4 * 4) { run in
    ProductCounter.count(
      rows: x.rows, inner: x.columns, columns: run.count, precision: precision,
      factorBytes: run.count * rowBytes + x.rows * x.columns * MemoryLayout<Float>.stride
    ) { body(run) }
  }
}

/// y = x · Wᵀ + beta · y for a few rows of x, W in a form in which each number stands by itself.
///
/// Generation multiplies every weight by one row or a few: reading the weights is then the whole cost,
/// so they are widened in registers and never written out. They are read as four long streams, which
/// the processor fetches ahead of us; rows next to each other, read at once, come at half that rate.
/// Every sum runs over the inputs in the same order, however many rows there are.
/// - Parameters:
///   - weights: `outputs` rows of `x.columns` numbers, without gaps.
///   - y: `[x.rows, outputs]`, `yStride` values from row to row.
@inline(__always)
func fewRowProduct<Element: StoredElement>(
  _ element: Element.Type, _ weights: UnsafeRawPointer, outputs: Int, x: MatrixView,
  into y: UnsafeMutablePointer<Float>, yStride: Int, beta: Float
) {
  let length = (outputs &+ 3) / 4
  for output in 0..<length {
    let four = FourStreams<Element>(
      weights, output: output, length: length, outputs: outputs, inputs: x.columns)
    var row = 0
    while row &+ 2 <= x.rows {
      let (first, second) = four.dots(
        x.pointer + row &* x.stride, x.pointer + (row &+ 1) &* x.stride)
      let line = y + row &* yStride
      four.put(first, line, beta)
      four.put(second, line + yStride, beta)
      row &+= 2
    }
    if row < x.rows {
      four.put(four.dots(x.pointer + row &* x.stride), y + row &* yStride, beta)
    }
  }
}

/// A row of each of the four streams, which are multiplied by the same x; of a stream that is at its
/// end, the weight's last row once more.
private struct FourStreams<Element: StoredElement> {
  let a: UnsafeRawPointer
  let b: UnsafeRawPointer
  let c: UnsafeRawPointer
  let d: UnsafeRawPointer
  let inputs: Int
  private let outputs: SIMD4<Int>
  private let last: Int

  /// - Parameters:
  ///   - output: Which row of the streams.
  ///   - length: A stream's rows.
  @inline(__always)
  init(_ weights: UnsafeRawPointer, output: Int, length: Int, outputs: Int, inputs: Int) {
    let rowBytes = inputs &* Element.byteCount
    last = outputs &- 1
    self.outputs = SIMD4(
      output, output &+ length, output &+ 2 &* length, output &+ 3 &* length)
    a = weights + output &* rowBytes
    b = weights + min(output &+ length, last) &* rowBytes
    c = weights + min(output &+ 2 &* length, last) &* rowBytes
    d = weights + min(output &+ 3 &* length, last) &* rowBytes
    self.inputs = inputs
  }

  /// - Parameter y: A row of the result.
  @inline(__always)
  func put(_ sums: SIMD4<Float>, _ y: UnsafeMutablePointer<Float>, _ beta: Float) {
    for lane in 0..<4 where outputs[lane] <= last {
      let place = y + outputs[lane]
      place.pointee = beta == 0 ? sums[lane] : sums[lane] + beta * place.pointee
    }
  }

  @inline(__always)
  func dots(_ x: UnsafePointer<Float>) -> SIMD4<Float> {
    var sums = FourSums()
    forEachVector(inputs) { i in
      let place = i &* Element.byteCount
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
