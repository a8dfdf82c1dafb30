import Autograd
import Tensors

/// What a step of the optimiser came to.
package struct StepOutcome {
  /// The loss's terms, means over the micro-batches.
  package fileprivate(set) var terms: NamedValues = []
  let gradients = Gradients()
  fileprivate(set) var rate = 0.0
  /// The global norm of the gradients, before they were clipped.
  fileprivate(set) var norm = 0.0

  /// Whether losses and gradients are numbers; where they are not, nothing was updated.
  var isFinite: Bool { norm.isFinite && terms.allSatisfy(\.value.isFinite) }
}

extension AdamW {
  /// Takes one step: the gradients of some micro-batches, clipped and applied.
  /// - Parameters:
  ///   - step: Counted from 0; decides the learning rate.
  ///   - addGradients: Adds the gradients of a micro-batch, of the given weight each, and returns its loss's
  ///     terms.
  package func take(
    _ step: Int, of training: TrainingConfiguration,
    addGradients: (_ micro: Int, _ weight: Float, Gradients) throws -> NamedValues
  ) rethrows -> StepOutcome {
    var outcome = StepOutcome()
    let share = 1 / Double(training.accumulation)
    for micro in 0..<training.accumulation {
      let terms = try addGradients(micro, Float(share), outcome.gradients)
      outcome.terms.add(terms, times: share)
    }
    outcome.rate = training.learningRate.rate(step: step, of: training.steps)
    outcome.norm = GradientNorm.global(outcome.gradients, of: entries.map(\.parameter))
    Profile.mark("gradient norm")
    if outcome.isFinite {
      update(
        outcome.gradients, rate: outcome.rate,
        gradientScale: GradientNorm.clippingFactor(norm: outcome.norm, limit: training.clipNorm))
    }
    return outcome
  }
}
