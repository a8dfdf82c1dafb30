import Tensors

/// What differs between a tensor and its reference, in words; nil if
/// `largest |difference| ≤ relative × largest |expected| + absolute`.
public func difference(
  _ actual: Tensor, _ expected: Tensor, relative: Float, absolute: Float = 1e-6
) -> String? {
  guard actual.count == expected.count else {
    return "expected shape \(expected.shape), found \(actual.shape)"
  }
  let (actualValues, expectedValues) = (actual.values, expected.values)
  guard actualValues.allSatisfy(\.isFinite) else { return "a value is not finite" }
  let scale = expectedValues.reduce(0) { max($0, abs($1)) }
  let worst = zip(actualValues, expectedValues).reduce(0) { max($0, abs($1.0 - $1.1)) }
  let bound = relative * scale + absolute
  return worst <= bound
    ? nil : "largest difference \(worst) exceeds \(bound) (largest expected value \(scale))"
}

/// A pseudo-random tensor for tests, normal with deviation 1 by default.
public func randomTensor(_ shape: [Int], seed: UInt64, deviation: Float = 1) -> Tensor {
  .normal(shape, standardDeviation: deviation, generator: Philox(seed: seed), site: 7)
}
