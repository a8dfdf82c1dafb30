import Autograd
import Layers
import Objectives

/// What the gradients of a process's share of a batch are made with, in either stage.
public struct GradientStep<Processes: Communicator> {
  /// Nil for no dropout.
  public let randomness: TrainingRandomness?
  public let communicator: Processes
  /// What the loss counts for, such as 1/N with N micro-batches.
  public let weight: Float
  /// The store that gradients are added to.
  public let gradients: Gradients

  public init(
    randomness: TrainingRandomness? = nil, communicator: Processes, weight: Float = 1,
    to gradients: Gradients
  ) {
    self.randomness = randomness
    self.communicator = communicator
    self.weight = weight
    self.gradients = gradients
  }
}
