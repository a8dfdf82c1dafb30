import Autograd
import Layers

/// Clipping by global norm, as PyTorch's `clip_grad_norm_` does it.
public enum GradientNorm {
  /// The Euclidean length of all gradients taken as one vector; not finite if one of them is not.
  public static func global(_ gradients: Gradients, of parameters: [Parameter]) -> Double {
    parameters.reduce(0) { sum, parameter in
      sum + (parameter.gradient(in: gradients)?.squaredNorm() ?? 0)
    }.squareRoot()
  }

  /// What the gradients are multiplied with so that their norm is at most `limit`; 1 without one.
  public static func clippingFactor(norm: Double, limit: Double?) -> Float {
    guard let limit else { return 1 }
    return Float(min(1, limit / (norm + 1e-6)))
  }
}
