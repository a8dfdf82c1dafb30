/// The upper half of a float32.
public struct BFloat16: Sendable {
  var bits: UInt16
}

/// A matrix in bfloat16, row by row.
public final class BFloat16Matrix: @unchecked Sendable {  // Unchecked: immutable after `init`.
  public let rows: Int
  public let columns: Int
  private let start: UnsafePointer<BFloat16>
  private let owner: AnyObject

  /// Rounds to the nearest, ties to even.
  public init(rounding x: MatrixView) {
    (rows, columns) = (x.rows, x.columns)
    let storage = Storage(count: (x.rows * x.columns + 1) / 2)
    let target = UnsafeMutableRawPointer(storage.pointer)
      .bindMemory(to: UInt16.self, capacity: x.rows * x.columns)
    Parallel.forEachRun(of: x.rows, grain: Parallel.rowGrain(width: x.columns)) { run in
      for row in run {
        round(x.pointer + row * x.stride, count: x.columns, into: target + row * x.columns)
      }
    }
    start = UnsafeRawPointer(target).assumingMemoryBound(to: BFloat16.self)
    owner = storage
  }

  /// Uses numbers where they lie, in a mapped file say.
  /// - Parameter owner: Keeps the bytes, and keeps them unchanged.
  /// - Precondition: `bytes` are just so many numbers at an even address.
  init(bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, owner: AnyObject) {
    guard let base = bytes.baseAddress, bytes.count == 2 * rows * columns,
      Int(bitPattern: base) % 2 == 0
    else {
      preconditionFailure("\(bytes.count) bytes are no bfloat16 matrix [\(rows), \(columns)]")
    }
    (self.rows, self.columns, self.owner) = (rows, columns, owner)
    start = base.assumingMemoryBound(to: BFloat16.self)
  }

  func read<Result>(_ body: (ElementView<BFloat16>) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(self) {
      try body(ElementView(start, rows: rows, columns: columns))
    }
  }
}

@inline(__always)
private func round(
  _ x: UnsafePointer<Float>, count: Int, into target: UnsafeMutablePointer<UInt16>
) {
  forEachVector(count) { i in
    let bits = unsafeBitCast(Vector(x + i), to: SIMD16<UInt32>.self)
    let rounded = (bits &+ 0x7FFF &+ ((bits &>> 16) & 1)) &>> 16
    var half = SIMD16<UInt16>.zero
    for lane in 0..<16 { half[lane] = UInt16(truncatingIfNeeded: rounded[lane]) }
    UnsafeMutableRawPointer(target + i).storeBytes(of: half, as: SIMD16<UInt16>.self)
  } partial: { i, lanes in
    for place in i..<i + lanes {
      let bits = x[place].bitPattern
      target[place] = UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
    }
  }
}

extension BFloat16: ProductElement {
  static var precision: ProductPrecision { .bfloat16 }

  static func multiply(
    _ a: ElementView<BFloat16>, _ b: ElementView<BFloat16>, _ form: ProductForm,
    into c: UnsafeMutablePointer<Float>, cStride: Int, scale: Float, keeping: Float
  ) {
    if OneDNN.multipliesBFloat16, scale == 1, keeping == 0 || keeping == 1 {
      multiplyByOneDNN(a, b, form, into: c, cStride: cStride, adds: keeping == 1)
    } else {
      multiplyAsFloats(a, b, form, into: c, cStride: cStride, scale: scale, keeping: keeping)
    }
  }

  /// The same product in float32: what processors without bfloat16 do, and tests compare with.
  static func multiplyAsFloats(
    _ a: ElementView<BFloat16>, _ b: ElementView<BFloat16>, _ form: ProductForm,
    into c: UnsafeMutablePointer<Float>, cStride: Int, scale: Float, keeping: Float
  ) {
    withFloats(of: a) { a in
      withFloats(of: b) { b in
        singleThreadProduct(
          a, b, form, into: c, cStride: cStride, scale: scale, keeping: keeping)
      }
    }
  }

  private static func withFloats(
    of x: ElementView<BFloat16>, _ body: (MatrixView) -> Void
  ) {
    let storage = Storage(count: x.rows * x.columns)
    withExtendedLifetime(storage) {
      for row in 0..<x.rows {
        BFloat16Element.expand(
          x.pointer + row * x.stride, count: x.columns, into: storage.pointer + row * x.columns)
      }
      body(MatrixView(storage.pointer, rows: x.rows, columns: x.columns))
    }
  }
}
