import Tensors

extension Variable {
  /// What a body computes from inputs, without keeping what lies between: the backward pass computes
  /// it again (Chen et al. 2016).
  ///
  /// Pullback: the body runs once more, and backwards from `dy` of each result, into the inputs and
  /// into the parameters that it uses. Gradients are those of the plain body to the bit.
  /// - Parameter body: Must compute the same each time, so its random draws have places. What was
  ///   computed before it must take from the inputs that it is given; parameters it may use as they
  ///   are.
  /// - Returns: The body's results.
  public static func recomputing(
    _ inputs: [Variable], _ body: @escaping (_ inputs: [Variable]) -> [Variable]
  ) -> [Variable] {
    guard Recording.isEnabled else { return body(inputs) }
    let inputs = inputs.map(RecomputationInput.init)
    // This run is recorded like the second one, since kernels may round otherwise where nothing is
    // recorded, and since it tells which results need a gradient. The record goes at once.
    let results = body(inputs.map(\.variable))
    let pending = PendingGradients()
    // Made before the nodes of the results, so it runs after all of theirs.
    let again = GradientNode(shape: [], parents: inputs.compactMap(\.source)) { _, gradients in
      let start = GradientNode(shape: [])
      let results = Recording.$isEnabled.withValue(true) { body(inputs.map(\.variable)) }
      gradients.runBackward(from: pending.roots(among: results), madeAfter: start)
    }
    return results.enumerated().map { number, result in
      guard let inner = result.node else { return result }
      let node = GradientNode(
        shape: result.shape, isRounded: inner.isRounded, parents: [again]
      ) { dy, gradients in
        pending.gradients[number] = dy
        gradients.add(Tensor(0), to: again)
      }
      return Variable(result.kept, shape: result.shape, node: node)
    }
  }
}

/// What is kept of an input: its value, and where its gradient goes.
private struct RecomputationInput {
  private let kept: Operand
  private let shape: [Int]
  let source: GradientNode?

  init(_ variable: Variable) {
    kept = variable.kept
    shape = variable.shape
    source = variable.node
  }

  /// The input without its history. Its gradient adds to the one that the source has by then, where it
  /// lies, as without recomputation.
  var variable: Variable {
    Variable(kept, shape: shape, node: source.map { GradientNode(standingFor: $0) })
  }
}

/// The gradients of results, from their own turn in the backward pass to that of the body.
private final class PendingGradients {
  var gradients: [Int: Operand] = [:]

  /// Where the body's backward pass begins; nothing is kept here then.
  func roots(among results: [Variable]) -> [(node: GradientNode, gradient: Operand)] {
    defer { gradients = [:] }
    return results.enumerated().compactMap { number, result in
      guard let node = result.node, let gradient = gradients[number] else { return nil }
      return (node, gradient)
    }
  }
}
