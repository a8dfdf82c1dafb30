import TestSupport
import Testing

@testable import Tensors

/// Products in bfloat16 against the same rounded numbers multiplied in float32.
@Suite struct BFloat16ProductTests {
  private func rounded(_ x: Tensor) -> BFloat16Matrix {
    x.readMatrix { BFloat16Matrix(rounding: $0) }
  }

  /// The nearest bfloat16, ties to the even one, by arithmetic alone.
  private func nearest(_ x: Float) -> Float {
    guard x != 0, x.isFinite else { return x }
    let unit = x.binade * 0x1p-7
    return (x / unit).rounded(.toNearestOrEven) * unit
  }

  @Test func roundsToTheNearest() {
    let values: [Float] =
      [0, -0.0, 1, -1, 1.00390625, 1.01171875, 3.3895e38, .infinity, -.infinity, 0x1p-120]
      + randomTensor([300], seed: 3).values
    let matrix = rounded(Tensor(values, shape: [2, values.count / 2]))
    let found = BFloat16Weight(matrix).expanded().values
    for (x, y) in zip(values, found) { #expect(y == nearest(x), "\(x)") }
    #expect(BFloat16Weight(rounded(Tensor([.nan, 1], shape: [1, 2]))).expanded().values[0].isNaN)
  }

  @Test(arguments: MatrixProductTests.forms, [1, 3, 16, 33, 130, 257])
  func productsAreThoseOfTheRoundedNumbers(_ form: TransposeMode, _ size: Int) {
    for (rows, inner, columns) in [(size, 48, 70), (37, size, 64), (96, 31, size)] {
      let a = rounded(
        randomTensor(form == .firstTransposed ? [inner, rows] : [rows, inner], seed: 1))
      let b = rounded(
        randomTensor(form == .secondTransposed ? [columns, inner] : [inner, columns], seed: 2))
      for beta: Float in [0, 1] {
        let start = randomTensor([rows, columns], seed: 3)
        var (fast, plain) = (start.copied(), start.copied())
        a.read { a in
          b.read { b in
            fast.modify {
              MatrixProduct(a, b, form, into: .float32($0), cStride: columns, Epilogue(beta: beta))
                .multiply()
            }
            plain.modify {
              BFloat16.multiplyAsFloats(
                MatrixProduct(
                  a, b, form, into: .float32($0), cStride: columns, Epilogue(beta: beta)))
            }
          }
        }
        #expect(difference(fast, plain, relative: 1e-5) == nil, "\(rows) \(inner) \(columns)")
      }
    }
  }

  @Test func weightAppliesBothWays() {
    let values = randomTensor([70, 33], seed: 1)
    let weight = BFloat16Weight(DenseWeight(values))
    let twin = DenseWeight(weight.expanded())
    let bias = randomTensor([70], seed: 4)
    for rows in [1, 3, BFloat16Weight.fewRows, 41] {
      let x = rounded(randomTensor([rows, 33], seed: 2)).expanded([rows, 33])
      let dy = rounded(randomTensor([rows, 70], seed: 3)).expanded([rows, 70])
      func apply(_ weight: any MatrixWeight, bias: Tensor?) -> (y: Tensor, dx: Tensor) {
        var (y, dx) = (Tensor.zeros([rows, 70]), Tensor.zeros([rows, 33]))
        y.modify { weight.apply(to: weight.factor(.float32(x)), bias: bias, into: .float32($0)) }
        dx.modify {
          weight.applyTransposed(to: weight.factor(.float32(dy)), into: .float32($0), beta: 0)
        }
        return (y, dx)
      }
      for bias in [nil, bias] {
        let (fast, plain) = (apply(weight, bias: bias), apply(twin, bias: bias))
        #expect(difference(fast.y, plain.y, relative: 1e-5) == nil, "\(rows)")
        #expect(difference(fast.dx, plain.dx, relative: 1e-5) == nil, "\(rows)")
        let result = BFloat16Matrix(rows: rows, columns: 70) {
          weight.apply(to: weight.factor(.float32(x)), bias: bias, into: .bfloat16($0))
        }
        #expect(difference(result.expanded([rows, 70]), plain.y, relative: 4e-3) == nil)
      }
    }
    #expect(weight.rows([69, 0]).values == twin.rows([69, 0]).values)
    #expect(weight.outputs(7..<20).expanded().values == twin.expanded().rows(7..<20).values)
  }

  /// Results that are rounded, with a bias: against the same product in float32.
  @Test(arguments: MatrixProductTests.forms)
  func roundedResults(_ form: TransposeMode) {
    let (rows, inner, columns) = (70, 40, 130)
    let a = rounded(
      randomTensor(form == .firstTransposed ? [inner, rows] : [rows, inner], seed: 1))
    let b = rounded(
      randomTensor(form == .secondTransposed ? [columns, inner] : [inner, columns], seed: 2))
    let bias = randomTensor([columns], seed: 3)
    var plain = Tensor.zeros([rows, columns])
    a.read { a in
      b.read { b in
        bias.read { bias in
          plain.modify {
            BFloat16.multiplyAsFloats(
              MatrixProduct(a, b, form, into: .float32($0), cStride: columns, Epilogue(bias: bias)))
          }
          let sum = Epilogue(bias: bias)
          for isShared in [true, false] {
            let result = BFloat16Matrix(rows: rows, columns: columns) {
              if isShared {
                MatrixProduct(a, b, form, into: .bfloat16($0), cStride: columns, sum).multiply()
              } else {
                BFloat16.multiplyAsFloats(
                  MatrixProduct(a, b, form, into: .bfloat16($0), cStride: columns, sum))
              }
            }
            #expect(difference(result.expanded(plain.shape), plain, relative: 4e-3) == nil)
          }
        }
      }
    }
  }

  /// Sums longer than a panel is, more columns than are copied at a time, and whole rows.
  @Test(arguments: [
    (TransposeMode.plain, 33, 6200, 70), (.secondTransposed, 40, 12_301, 48),
    (.firstTransposed, 49, 4500, 80), (.secondTransposed, 32, 2050, 4200),
  ])
  func longSums(_ form: TransposeMode, _ rows: Int, _ inner: Int, _ columns: Int) {
    let a = rounded(
      randomTensor(form == .firstTransposed ? [inner, rows] : [rows, inner], seed: 1))
    let b = rounded(
      randomTensor(form == .secondTransposed ? [columns, inner] : [inner, columns], seed: 2))
    let bias = randomTensor([columns], seed: 3)
    var plain = Tensor.zeros([rows, columns])
    a.read { a in
      b.read { b in
        bias.read { bias in
          plain.modify {
            BFloat16.multiplyAsFloats(
              MatrixProduct(a, b, form, into: .float32($0), cStride: columns, Epilogue(bias: bias)))
          }
          var fast = Tensor.zeros([rows, columns])
          fast.modify {
            TiledProduct.multiply(
              MatrixProduct(a, b, form, into: .float32($0), cStride: columns, Epilogue(bias: bias)))
          }
          #expect(difference(fast, plain, relative: 1e-5) == nil)
          let result = BFloat16Matrix(rows: rows, columns: columns) {
            TiledProduct.multiply(
              MatrixProduct(a, b, form, into: .bfloat16($0), cStride: columns, Epilogue(bias: bias))
            )
          }
          #expect(difference(result.expanded(plain.shape), plain, relative: 4e-3) == nil)
        }
      }
    }
  }

  /// Weights that a file holds in bfloat16 are multiplied where they lie.
  @Test func storedWeightsAreNotCopied() throws {
    let weight = BFloat16Weight(DenseWeight(randomTensor([5, 6], seed: 1)))
    let owner = Bytes(
      weight.expanded().values.flatMap {
        withUnsafeBytes(of: UInt16($0.bitPattern >> 16)) { Array($0) }
      })
    let stored = StoredWeight(
      bytes: UnsafeRawBufferPointer(owner.bytes), format: .bfloat16, outputs: 5, inputs: 6,
      owner: owner)
    let matrix = try #require(stored.bfloat16)
    matrix.read {
      #expect(UnsafeRawPointer($0.pointer) == UnsafeRawPointer(owner.bytes.baseAddress!))
    }
    #expect(BFloat16Weight(stored).expanded().values == weight.expanded().values)
  }

  private final class Bytes: @unchecked Sendable {  // Unchecked: immutable after `init`.
    let bytes: UnsafeMutableBufferPointer<UInt8>

    init(_ values: [UInt8]) {
      bytes = .allocate(capacity: values.count)
      _ = bytes.initialize(from: values)
    }

    deinit { bytes.deallocate() }
  }
}
