/// The matrix `[outputs, inputs]` of a linear map, however its numbers are kept.
///
/// Layers know only this.
public protocol MatrixWeight: Sendable {
  var outputs: Int { get }
  var inputs: Int { get }

  /// Rows in the form in which this weight multiplies them.
  func factor(_ x: Operand) -> Operand

  /// In which precision a product's result may be written.
  var resultPrecision: ProductPrecision { get }

  /// y = x · Wᵀ + bias.
  /// - Parameters:
  ///   - x: `[rows, inputs]`.
  ///   - bias: `[outputs]`.
  ///   - y: `[rows, outputs]`, float32 or of the weight's `resultPrecision`.
  ///   - map: What is made of each number of y.
  func apply(to x: Operand, bias: Tensor?, into y: ProductResult, then map: FusedMap?)

  /// dx = dy · W + beta · dx.
  /// - Parameters:
  ///   - dy: `[rows, outputs]`.
  ///   - dx: `[rows, inputs]`, as `y` of `apply`; only float32 can be kept.
  func applyTransposed(to dy: Operand, into dx: ProductResult, beta: Float)

  /// The rows at the given places as float32, `[indices.count, inputs]`.
  func rows(_ indices: [Int32]) -> Tensor

  /// The whole matrix as float32, `[outputs, inputs]`.
  func expanded() -> Tensor
}

extension MatrixWeight {
  /// y = x · Wᵀ + bias.
  public func apply(to x: Operand, bias: Tensor?, into y: ProductResult) {
    apply(to: x, bias: bias, into: y, then: nil)
  }

  /// dx = dy · W + beta · dx by the numbers in bfloat16, row by row: for weights in a form of their own,
  /// which are frozen and of models that pass no gradient on.
  func applyTransposedInBFloat16(to dy: Operand, into dx: ProductResult, beta: Float) {
    BFloat16Weight(self).applyTransposed(to: dy, into: dx, beta: beta)
  }

  public func expanded() -> Tensor { rows((0..<outputs).map { Int32($0) }) }

  /// The rows at the given places, over all threads.
  /// - Parameter expand: Writes the numbers of one row.
  func gathered(
    _ indices: [Int32], _ expand: (_ row: Int, _ target: UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    Tensor(shape: [indices.count, inputs]) { target in
      Parallel.forEachRun(of: indices.count, grain: Parallel.rowGrain(width: inputs)) { run in
        for place in run {
          let index = Int(indices[place])
          precondition(
            index >= 0 && index < outputs,
            "row \(index) lies outside a weight of shape [\(outputs), \(inputs)]")
          expand(index, target + place * inputs)
        }
      }
    }
  }
}

/// A weight that multiplies in float32, whatever it is kept in.
public protocol Float32ProductWeight: MatrixWeight {
  /// y = x · Wᵀ + bias, and the map of it.
  func apply(
    to x: MatrixView, bias: UnsafePointer<Float>?, into y: UnsafeMutablePointer<Float>,
    then map: FusedMap?)

  /// dx = dy · W + beta · dx.
  func applyTransposed(to dy: MatrixView, into dx: UnsafeMutablePointer<Float>, beta: Float)
}

extension Float32ProductWeight {
  public func factor(_ x: Operand) -> Operand {
    switch x {
    case .float32: x
    case .bfloat16(let matrix): .float32(matrix.expanded([matrix.rows, matrix.columns]))
    }
  }

  public var resultPrecision: ProductPrecision { .float32 }

  public func apply(
    to x: Operand, bias: Tensor?, into y: ProductResult, then map: FusedMap?
  ) {
    guard case .float32(let target) = y else {
      preconditionFailure("a float32 product has a float32 result")
    }
    factor(x).float32.readMatrix { x in
      bias.read { apply(to: x, bias: $0, into: target, then: map) }
    }
  }

  public func applyTransposed(to dy: Operand, into dx: ProductResult, beta: Float) {
    guard case .float32(let dx) = dx else {
      preconditionFailure("a float32 product has a float32 result")
    }
    dy.float32.readMatrix { applyTransposed(to: $0, into: dx, beta: beta) }
  }
}

/// A weight kept as float32.
public struct DenseWeight: Float32ProductWeight {
  /// `[outputs, inputs]`.
  public let values: Tensor

  public init(_ values: Tensor) {
    precondition(values.shape.count == 2, "a weight is a matrix, not of shape \(values.shape)")
    self.values = values
  }

  public var outputs: Int { values.shape[0] }
  public var inputs: Int { values.shape[1] }

  public func apply(
    to x: MatrixView, bias: UnsafePointer<Float>?, into y: UnsafeMutablePointer<Float>,
    then map: FusedMap?
  ) {
    values.readMatrix { w in
      MatrixProduct(
        x, w, .secondTransposed, into: .float32(y), cStride: outputs, Epilogue(bias: bias)
      ).multiply(then: map)
    }
  }

  public func applyTransposed(
    to dy: MatrixView, into dx: UnsafeMutablePointer<Float>, beta: Float
  ) {
    values.readMatrix { w in
      parallelProduct(dy, w, .plain, into: dx, cStride: inputs, beta: beta)
    }
  }

  public func rows(_ indices: [Int32]) -> Tensor { values.gatheredRows(indices) }

  public func expanded() -> Tensor { values }
}
