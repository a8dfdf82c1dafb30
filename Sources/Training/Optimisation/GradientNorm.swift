import Objectives
import Tensors

/// Clipping by global norm, as PyTorch's `clip_grad_norm_` does it.
public enum GradientNorm {
  /// The Euclidean length of all gradients taken as one vector; not finite if one of them is not.
  /// - Parameter gradients: Those that this process has, summed over all: the parts are added by rank.
  public static func global(
    _ gradients: [Tensor?], _ communicator: any Communicator = SingleProcess()
  ) -> Double {
    let squares = gradients.reduce(0) { $0 + ($1?.squaredNorm() ?? 0) }
    return communicator.gathered([Int64(bitPattern: squares.bitPattern)])
      .reduce(0) { $0 + Double(bitPattern: UInt64(bitPattern: $1[0])) }.squareRoot()
  }

  /// What the gradients are multiplied with so that their norm is at most `limit`; 1 without one.
  public static func clippingFactor(norm: Double, limit: Double?) -> Float {
    guard let limit else { return 1 }
    return Float(min(1, limit / (norm + 1e-6)))
  }
}
