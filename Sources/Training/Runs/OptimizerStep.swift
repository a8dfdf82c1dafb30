import Autograd
import Tensors

/// One step of the optimiser: the gradients of some micro-batches, clipped and applied.
package struct OptimizerStep {
  let training: TrainingConfiguration
  let optimizer: AdamW

  package init(training: TrainingConfiguration, optimizer: AdamW) {
    self.training = training
    self.optimizer = optimizer
  }

  /// What a step came to.
  package struct Outcome {
    /// The loss's terms, means over the micro-batches.
    package var terms: [(name: String, value: Double)] = []
    let gradients = Gradients()
    var rate = 0.0
    /// The global norm of the gradients, before they were clipped.
    var norm = 0.0

    /// Whether losses and gradients are numbers; where they are not, nothing was updated.
    var isFinite: Bool { norm.isFinite && terms.allSatisfy(\.value.isFinite) }
  }

  /// - Parameters:
  ///   - step: Counted from 0; decides the learning rate.
  ///   - addGradients: Adds the gradients of a micro-batch, of the given weight each, and returns its loss's
  ///     terms.
  package func take(
    _ step: Int,
    addGradients: (_ micro: Int, _ weight: Float, Gradients) throws -> [(
      name: String, value: Double
    )]
  ) rethrows -> Outcome {
    var outcome = Outcome()
    let share = 1 / Double(training.accumulation)
    for micro in 0..<training.accumulation {
      let losses = try addGradients(micro, Float(share), outcome.gradients).map {
        (name: $0.name, value: $0.value * share)
      }
      if outcome.terms.isEmpty {
        outcome.terms = losses
      } else {
        for index in losses.indices { outcome.terms[index].value += losses[index].value }
      }
    }
    outcome.rate = training.learningRate.rate(step: step, of: training.steps)
    outcome.norm = GradientNorm.global(
      outcome.gradients, of: optimizer.entries.map(\.parameter))
    Profile.mark("gradient norm")
    if outcome.isFinite {
      optimizer.update(
        outcome.gradients, rate: outcome.rate,
        gradientScale: GradientNorm.clippingFactor(norm: outcome.norm, limit: training.clipNorm))
    }
    return outcome
  }
}
