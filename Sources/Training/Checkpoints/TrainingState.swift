import Datasets

/// Where a run stands: what a checkpoint holds beside parameters and moments.
public struct TrainingState: Equatable {
  /// Optimiser steps, skipped ones included.
  public var step = 0
  public var position = LoaderPosition()
  /// Steps skipped because a loss or gradient was not finite.
  public var skippedSteps = 0
  /// Images that could not be read.
  public var skippedImages = 0
  /// The last step after which held-out pairs were judged.
  public var validatedStep = 0
  /// The best validation value so far and its step.
  public var best: Best?
  /// What the next line of the log is the mean of, so far.
  public var logged = LossSums()

  public struct Best: Equatable {
    public var step: Int
    public var value: Double
  }
}

/// The losses of some steps, added up by name.
public struct LossSums: Equatable {
  public var values: [String: Double] = [:]
  public var steps = 0

  mutating func add(_ losses: NamedValues) {
    for loss in losses { values[loss.name, default: 0] += loss.value }
    steps += 1
  }

  /// The means, in the order of these losses.
  func means(of losses: NamedValues) -> NamedValues {
    losses.map { ($0.name, (values[$0.name] ?? 0) / Double(max(1, steps))) }
  }
}
