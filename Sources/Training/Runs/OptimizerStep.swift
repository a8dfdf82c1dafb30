import Autograd
import Datasets
import Objectives
import Reporting
import Tensors

/// What a step of the optimiser came to.
package struct StepOutcome {
  /// The loss's terms, means over the micro-batches.
  package fileprivate(set) var terms: NamedValues = []
  let gradients = Gradients()
  fileprivate(set) var rate = 0.0
  /// The global norm of the gradients, before they were clipped.
  fileprivate(set) var norm = 0.0
  /// The seconds waited for the batches.
  fileprivate(set) var dataSeconds = 0.0

  /// Whether losses and gradients are numbers; where they are not, nothing was updated.
  var isFinite: Bool { norm.isFinite && terms.allSatisfy(\.value.isFinite) }
}

extension AdamW {
  /// Takes one step: the gradients of some micro-batches, clipped and applied; several processes together.
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
    let own = summed(outcome.gradients)
    if communicator.count > 1 { Profile.mark("gradients from others") }
    outcome.norm = GradientNorm.global(own, communicator)
    Profile.mark("gradient norm")
    if outcome.isFinite {
      update(
        own, rate: outcome.rate,
        gradientScale: GradientNorm.clippingFactor(norm: outcome.norm, limit: training.clipNorm))
    }
    return outcome
  }
}

extension Recipe {
  /// Takes the step that follows a state; several processes together.
  /// - Parameters:
  ///   - state: Changes at the end, as a whole: an error within the step leaves the one before.
  ///   - say: Is told of images that cannot be read.
  ///   - beforeBatch: Called before each micro-batch.
  /// - Throws: ``Interrupted`` before a micro-batch or within it, and what reading data throws: in all
  ///   processes, wherever it came from.
  func takeStep(
    after state: inout TrainingState, _ optimizer: AdamW, from batches: any BatchStream,
    say: (String) -> Void, beforeBatch: () -> Void = {}
  ) throws -> StepOutcome {
    let (training, communicator) = (configuration.training, optimizer.communicator)
    var next = state
    var waited = Duration.zero
    var outcome = try optimizer.take(state.step, of: training) { micro, weight, gradients in
      let batch = try communicator.agreed {
        try StopRequest.check()
        beforeBatch()
        let begin = ContinuousClock.now
        guard let batch = try batches.next() else {
          preconditionFailure("training data never ends")
        }
        waited += ContinuousClock.now - begin
        return batch
      }
      next.position = batch.positionAfter
      Profile.mark("waiting for data")
      let skipped = communicator.gathered(batch.skipped.map { "\($0)" }).joined()
      next.skippedImages += skipped.count
      for sample in skipped { say("skipped \(sample)") }
      return try addGradients(
        of: batch, step: state.step,
        firstIndex: micro * training.batchSize * communicator.count, weight: weight,
        to: gradients, with: communicator)
    }
    outcome.dataSeconds = waited.inSeconds
    next.step += 1
    state = next
    return outcome
  }
}
