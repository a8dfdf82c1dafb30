import Datasets

/// Where a run stands: what a checkpoint holds beside parameters and moments.
public struct TrainingState: Equatable {
  /// Optimiser steps, skipped ones included.
  public var step = 0
  public var position = LoaderPosition()
  /// Steps skipped because a loss or gradient was not finite.
  public var skippedSteps = 0
  /// Pictures that could not be read.
  public var skippedImages = 0
  /// The last step after which held-out pairs were judged.
  public var validatedStep = 0
  /// The best validation value so far and its step.
  public var best: Best?

  public struct Best: Equatable {
    public var step: Int
    public var value: Double
  }
}
