import Autograd
import Tensors

/// Compares the gradients of a function with central finite differences.
///
/// The function's result is projected onto a fixed random direction, summed in double precision. In
/// float32 a step of 1e-2 balances rounding against curvature; the tolerance is 1e-3 of the largest
/// gradient.
/// - Parameters:
///   - inputs: The points at which to differentiate.
///   - function: Must compute the same for the same inputs every time.
/// - Returns: What differs, in words; nil if nothing does.
public func gradientDifference(
  _ inputs: [Tensor], step: Float = 1e-2, tolerance: Float = 1e-3,
  _ function: ([Variable]) -> Variable
) -> String? {
  let leaves = inputs.map { Variable.leaf($0) }
  let result = function(leaves)
  let direction = randomTensor(result.shape, seed: 99)
  let gradients = Gradients()
  gradients.addBackward(from: result, gradient: direction)

  func projected(_ inputs: [Tensor]) -> Double {
    let values = function(inputs.map { Variable($0) }).value.values
    return zip(values, direction.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  for (number, input) in inputs.enumerated() {
    let analytic = gradients[leaves[number]] ?? .zeros(input.shape)
    var numeric = [Float](repeating: 0, count: input.count)
    for index in 0..<input.count {
      var values = input.values
      values[index] = input.values[index] + step
      let above = values[index]
      var changed = inputs
      changed[number] = Tensor(values, shape: input.shape)
      let high = projected(changed)
      values[index] = input.values[index] - step
      let below = values[index]
      changed[number] = Tensor(values, shape: input.shape)
      let low = projected(changed)
      numeric[index] = Float((high - low) / Double(above - below))
    }
    let expected = Tensor(numeric, shape: input.shape)
    if let text = difference(analytic, expected, relative: tolerance, absolute: tolerance) {
      return "gradient of input \(number) \(input.shape): \(text)"
    }
  }
  return nil
}
