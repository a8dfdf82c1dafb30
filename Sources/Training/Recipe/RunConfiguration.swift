import Configuration
import Tensors

/// How a run goes, whatever it trains.
public struct RunConfiguration: Codable, Equatable, Sendable {
  @Key("What the file is a recipe of.", resume: .free)
  public var recipe = ""
  @Key(1...ConfigurationLoader.recipeVersion, "The version of the recipe's keys.", resume: .free)
  public var version = ConfigurationLoader.recipeVersion
  @Key("The folder that checkpoints and `metrics.jsonl` are written to.", resume: .free)
  public var output = ""
  @Key("Decides every random draw of the run.", resume: .fixed)
  public var seed: UInt64 = 42
  @Key(
    "The precision of the linear maps' products. Parameters, sums and the optimiser are "
      + "float32.")
  public var precision = ProductPrecision.float32
  @Key("How long and in what portions the run trains.")
  public var training = TrainingConfiguration()
  @Key("When checkpoints are written and which are kept.", resume: .free)
  public var checkpoint = CheckpointConfiguration()
  @Key("What is said while training.", resume: .free)
  public var log = LogConfiguration()
  @Key("What may differ from the checkpoint when the run is resumed.", resume: .free)
  public var resume = ResumeConfiguration()
  @Key("How processes that a launcher (`mpirun`, `srun`) started train together.", resume: .free)
  public var distributed = DistributedConfiguration()

  /// - Parameters:
  ///   - recipe: The name of the recipe.
  ///   - output: The usual output folder.
  package init(of recipe: String, output: String) {
    self.recipe = recipe
    self.output = output
  }
}

/// How long and in what portions a run trains.
public struct TrainingConfiguration: Codable, Equatable, Sendable {
  @Key(1...Int(Int32.max), "Optimiser steps.")
  public var steps = 250_000
  @Key(
    1...65_536,
    "Pairs in a micro-batch, for each process; hard negatives come from it, those of all processes."
  )
  public var batchSize = 64
  @Key(
    1...65_536,
    "Micro-batches in a step; each one's mean loss weighs 1/N, and negatives stay within it.")
  public var accumulation = 1
  @Key(
    1...65_536,
    "Pairs of a micro-batch that go through stage 1's Q-Former at once, for batches larger than "
      + "memory: losses and gradients stay those of the whole; null for all.")
  public var chunkSize: Int? = nil
  @Key(
    "Computes the inside of the Q-Former's layers again in the backward pass in place of "
      + "keeping it.")
  public var recomputeActivations = false
  @Key(1e-12...1e12, "The largest global norm of the gradients; null for no clipping.")
  public var clipNorm: Double? = nil
  @Key(
    1...Int.max,
    "Steps in a row with a loss or gradient that is not finite, after which the run stops.")
  public var stopAfterSkippedSteps = 10
  @Key("Linear warm-up, then a cosine, step by step.")
  public var learningRate = LearningRateSchedule()
  @Key("How AdamW moves.")
  public var adamW = AdamWConfiguration()

  public init() {}
}

/// When checkpoints are written and which are kept.
public struct CheckpointConfiguration: Codable, Equatable, Sendable {
  @Key(0...Int.max, "Steps between checkpoints; 0 for none but the last.")
  public var every = 1000
  @Key(0.01...1e6, "Minutes between checkpoints; null for none by time.")
  public var everyMinutes: Double? = nil
  @Key(1...1_000_000, "How many of the newest are kept, and the best by validation besides.")
  public var keep = 3

  public init() {}
}

/// What is said while training.
public struct LogConfiguration: Codable, Equatable, Sendable {
  @Key(1...Int.max, "Steps between lines, in the log, in `metrics.jsonl` and in TensorBoard.")
  public var every = 10
  @Key("Writes TensorBoard's event files to `tensorboard` in the output folder.")
  public var tensorBoard = true
  @Key(
    0...256,
    "Held-out images that are shown with their captions at each validation; 0 for none.",
    formerly: "pictures")
  public var images = 4

  public init() {}
}

/// What may differ from the checkpoint when a run is resumed.
public struct ResumeConfiguration: Codable, Equatable, Sendable {
  @Key("Goes on although the data's digest is another.")
  public var allowChangedData = false

  public init() {}
}

/// How processes that a launcher started train together.
public struct DistributedConfiguration: Codable, Equatable, Sendable {
  @Key(1...86_400, "Seconds after which a process that is silent is given up, and all end.")
  public var timeout = 60

  public init() {}
}

extension TrainingConfiguration {
  /// What is allowed and seldom meant, in words.
  var oddities: [String] {
    var oddities: [String] = []
    let rate = learningRate
    if rate.warmupSteps >= steps {
      oddities.append(
        "training.learningRate.warmupSteps is \(rate.warmupSteps), and training.steps \(steps): the "
          + "rate never reaches its peak \(rate.peak); a warm-up of a tenth of the steps is usual")
    }
    if rate.final > rate.peak {
      oddities.append(
        "training.learningRate.final is \(rate.final), above peak, \(rate.peak): the rate rises to "
          + "the end")
    }
    return oddities
  }

  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws {
    if let chunkSize {
      try require(
        chunkSize <= batchSize, "training.chunkSize", found: chunkSize,
        expected: "1 to training.batchSize, \(batchSize)",
        advice: "a micro-batch is cut into chunks; null takes it as a whole")
    }
  }
}
