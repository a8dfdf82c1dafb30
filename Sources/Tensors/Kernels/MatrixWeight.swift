/// The matrix `[outputs, inputs]` of a linear map, however its numbers are kept.
///
/// Layers know only this.
public protocol MatrixWeight: Sendable {
  var outputs: Int { get }
  var inputs: Int { get }

  /// A tensor's rows in the form in which this weight multiplies them.
  func factor(_ x: Tensor) -> ProductFactor

  /// y = x · Wᵀ + keeping · y.
  /// - Parameters:
  ///   - x: `[rows, inputs]`.
  ///   - y: `[rows, outputs]`.
  func apply(to x: ProductFactor, into y: UnsafeMutablePointer<Float>, keeping: Float)

  /// dx = dy · W + keeping · dx.
  /// - Parameters:
  ///   - dy: `[rows, outputs]`.
  ///   - dx: `[rows, inputs]`.
  func applyTransposed(to dy: ProductFactor, into dx: UnsafeMutablePointer<Float>, keeping: Float)

  /// The rows at the given places as float32, `[indices.count, inputs]`.
  func rows(_ indices: [Int32]) -> Tensor

  /// The whole matrix as float32, `[outputs, inputs]`.
  func expanded() -> Tensor
}

/// A weight that multiplies in float32, whatever it is kept in.
public protocol Float32ProductWeight: MatrixWeight {
  /// y = x · Wᵀ + keeping · y.
  func apply(to x: MatrixView, into y: UnsafeMutablePointer<Float>, keeping: Float)

  /// dx = dy · W + keeping · dx.
  func applyTransposed(to dy: MatrixView, into dx: UnsafeMutablePointer<Float>, keeping: Float)
}

extension Float32ProductWeight {
  public func factor(_ x: Tensor) -> ProductFactor { .float32(x) }

  public func apply(to x: ProductFactor, into y: UnsafeMutablePointer<Float>, keeping: Float) {
    x.float32.readMatrix { apply(to: $0, into: y, keeping: keeping) }
  }

  public func applyTransposed(
    to dy: ProductFactor, into dx: UnsafeMutablePointer<Float>, keeping: Float
  ) {
    dy.float32.readMatrix { applyTransposed(to: $0, into: dx, keeping: keeping) }
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

  public func apply(to x: MatrixView, into y: UnsafeMutablePointer<Float>, keeping: Float) {
    values.readMatrix { w in
      parallelProduct(x, w, .secondTransposed, into: y, cStride: outputs, keeping: keeping)
    }
  }

  public func applyTransposed(
    to dy: MatrixView, into dx: UnsafeMutablePointer<Float>, keeping: Float
  ) {
    values.readMatrix { w in
      parallelProduct(dy, w, .plain, into: dx, cStride: inputs, keeping: keeping)
    }
  }

  public func rows(_ indices: [Int32]) -> Tensor { values.gatheredRows(indices) }

  public func expanded() -> Tensor { values }
}
