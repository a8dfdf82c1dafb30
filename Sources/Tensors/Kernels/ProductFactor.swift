/// The precision in which matrices are multiplied; products are summed in float32 either way.
public enum ProductPrecision: String, Codable, CaseIterable, Sendable {
  case float32 = "fp32"
  /// Factors are rounded to bfloat16: half the memory traffic, and twice the speed on processors that
  /// multiply it themselves.
  case bfloat16 = "bf16"
}

/// A factor of a product in the form in which it is multiplied.
public enum ProductFactor {
  case float32(Tensor)
  case bfloat16(BFloat16Matrix)

  /// A tensor's rows, all axes but the last taken as one.
  public init(_ values: Tensor, in precision: ProductPrecision) {
    switch precision {
    case .float32: self = .float32(values)
    case .bfloat16: self = .bfloat16(values.readMatrix { BFloat16Matrix(rounding: $0) })
    }
  }

  /// The values of a factor that was not rounded.
  var float32: Tensor {
    guard case .float32(let values) = self else {
      preconditionFailure("a factor in bfloat16 for a weight that multiplies in float32")
    }
    return values
  }

  /// C = Aᵀ · B + keeping · C, over all threads.
  /// - Parameter c: `[columns of A, columns of B]`.
  /// - Precondition: Both factors have one precision, and as many rows.
  public static func addTransposedProduct(
    _ a: ProductFactor, _ b: ProductFactor, into c: UnsafeMutablePointer<Float>, keeping: Float
  ) {
    switch (a, b) {
    case (.float32(let a), .float32(let b)):
      a.readMatrix { a in
        b.readMatrix { b in
          sharedProduct(a, b, .firstTransposed, into: c, cStride: b.columns, keeping: keeping)
        }
      }
    case (.bfloat16(let a), .bfloat16(let b)):
      a.read { a in
        b.read { b in
          sharedProduct(a, b, .firstTransposed, into: c, cStride: b.columns, keeping: keeping)
        }
      }
    default: preconditionFailure("a product of two precisions")
    }
  }
}
