import Autograd
import Layers
import Tensors

/// Compares the gradients of a model's parameters with central finite differences at a few entries
/// each: the entry with the largest gradient, and some drawn at random.
///
/// - Parameters:
///   - entries: How many entries beside the largest.
///   - tolerance: Relative to the parameter's largest gradient.
///   - noise: What rounding of the result leaves of a zero gradient.
///   - function: Must compute the same for the same parameters every time. A result of more than
///     one value is projected onto a fixed random direction.
/// - Returns: What differs, in words.
public func gradientDifferences(
  of parameters: [NamedParameter], entries: Int = 2, step: Float = 1e-2,
  tolerance: Double = 1e-3, noise: Double, _ function: () -> Variable
) -> [String] {
  let result = function()
  let direction =
    result.value.count == 1
    ? Tensor(repeating: 1, shape: result.shape) : randomTensor(result.shape, seed: 99)
  let gradients = Gradients()
  gradients.addBackward(from: result, gradient: direction)

  func projected() -> Double {
    withoutGradients {
      zip(function().value.values, direction.values).reduce(0) {
        $0 + Double($1.0) * Double($1.1)
      }
    }
  }

  var stream = RandomStream(Philox(seed: 1), site: 1)
  var problems: [String] = []
  for entry in parameters {
    let parameter = entry.parameter
    let analytic = (parameter.gradient(in: gradients) ?? .zeros(parameter.shape)).values
    let largest = analytic.indices.max { abs(analytic[$0]) < abs(analytic[$1]) } ?? 0
    let places =
      [largest] + (0..<entries).map { _ in Int.random(in: analytic.indices, using: &stream) }
    let original = parameter.value
    let scale = Double(abs(analytic[largest]))
    for place in places {
      func shifted(by step: Float) -> (at: Double, result: Double) {
        var value = original
        value.modify { $0[place] += step }
        parameter.value = value
        return (Double(value.values[place]), projected())
      }
      let (high, low) = (shifted(by: step), shifted(by: -step))
      let numeric = (high.result - low.result) / (high.at - low.at)
      let bound = tolerance * scale + noise
      if !(abs(numeric - Double(analytic[place])) <= bound) {
        problems.append(
          "\(entry.name)[\(place)]: differences give \(numeric) ± \(bound), "
            + "the backward pass \(analytic[place])")
      }
    }
    parameter.value = original
  }
  return problems
}
