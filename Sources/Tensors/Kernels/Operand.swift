/// The precision in which matrices are multiplied. Products are summed in float32; of int8, exactly.
public enum ProductPrecision: String, Codable, CaseIterable, Sendable {
  case float32 = "fp32"
  /// Factors are rounded to bfloat16: half the memory traffic, and twice the speed on processors that
  /// multiply it themselves.
  case bfloat16 = "bf16"
  /// Factors are rounded to whole numbers of one byte with a scale for each row, weights once: for
  /// frozen weights alone. What no weight multiplies is as under bfloat16.
  case int8
}

/// A factor of a product in the form in which it is multiplied.
public enum Operand {
  case float32(Tensor)
  case bfloat16(BFloat16Matrix)

  /// A factor of values that the closure writes; it must write every one.
  /// - Parameter shape: `[..., width]`.
  public static func made(
    in precision: ProductPrecision, shape: [Int], _ write: (ProductResult) -> Void
  ) -> Operand {
    guard precision == .bfloat16 else {
      return .float32(Tensor(shape: shape) { write(.float32($0)) })
    }
    return .bfloat16(
      BFloat16Matrix(rows: shape.dropLast().reduce(1, *), columns: shape.last ?? 1) {
        write(.bfloat16($0))
      })
  }

  /// The precision in which the values are kept.
  public var precision: ProductPrecision {
    switch self {
    case .float32: .float32
    case .bfloat16: .bfloat16
    }
  }

  /// The values as float32.
  /// - Parameter shape: Of as many values.
  public func tensor(_ shape: [Int]) -> Tensor {
    switch self {
    case .float32(let values): values.reshaped(shape)
    case .bfloat16(let matrix): matrix.expanded(shape)
    }
  }

  /// Some of the rows, in the same memory.
  public func rows(_ range: Range<Int>) -> Operand {
    switch self {
    case .float32(let values): .float32(values.rows(range))
    case .bfloat16(let matrix): .bfloat16(matrix.rows(range))
    }
  }

  /// The rows of several factors one after another: in bfloat16 if all are.
  public static func concatenated(
    _ parts: [Operand], rows: Int, width: Int
  ) -> Operand {
    let rounded = parts.compactMap { if case .bfloat16(let matrix) = $0 { matrix } else { nil } }
    var start = 0
    if rounded.count == parts.count {
      return .bfloat16(
        BFloat16Matrix(rows: rows, columns: width) { y in
          for part in rounded {
            part.read { (y + start).update(from: $0.pointer, count: part.rows * width) }
            start += part.rows * width
          }
        })
    }
    return .float32(
      Tensor(shape: [rows, width]) { y in
        for part in parts {
          part.tensor([part.count]).read { values in
            Parallel.forEachRun(of: part.count, grain: 16_384) { run in
              (y + (start + run.lowerBound))
                .update(from: values + run.lowerBound, count: run.count)
            }
          }
          start += part.count
        }
      })
  }

  /// As a matrix in bfloat16, all axes but the last taken as one.
  public var rounded: BFloat16Matrix {
    switch self {
    case .float32(let values): values.readMatrix { BFloat16Matrix(rounding: $0) }
    case .bfloat16(let matrix): matrix
    }
  }

  /// The values of a factor that was not rounded.
  var float32: Tensor {
    guard case .float32(let values) = self else {
      preconditionFailure("a factor in bfloat16 for a weight that multiplies in float32")
    }
    return values
  }

  /// C = Aᵀ · B + beta · C, over all threads.
  /// - Parameter c: `[columns of A, columns of B]`.
  /// - Precondition: Both factors have one precision, and as many rows.
  public static func addTransposedProduct(
    _ a: Operand, _ b: Operand, into c: UnsafeMutablePointer<Float>, beta: Float
  ) {
    func multiply<Element: ProductElement>(_ a: ElementView<Element>, _ b: ElementView<Element>) {
      MatrixProduct(
        a, b, .firstTransposed, into: .float32(c), cStride: b.columns, Epilogue(beta: beta)
      ).multiply()
    }
    switch (a, b) {
    case (.float32(let a), .float32(let b)):
      a.readMatrix { a in b.readMatrix { multiply(a, $0) } }
    case (.bfloat16(let a), .bfloat16(let b)): a.read { a in b.read { multiply(a, $0) } }
    default: preconditionFailure("a product of two precisions")
    }
  }
}
