import Datasets
import Layers
import Tensors
import VisionEncoders

/// The sections of a run's configuration that all stages share.

/// Where the frozen (or trained) image encoder comes from and what of it goes on.
public struct VisionConfiguration: Codable, Equatable, Sendable {
  /// A folder with `config.json` and weights, or a file in the names of EVA's authors; null for a
  /// new encoder of the sizes in `new`.
  @Nullable public var path: String?
  /// The number of attention heads, for a file that does not say it; null for what is in the file,
  /// or else one for each 88 of the width.
  @Nullable public var heads: Int?
  /// The block whose output goes on, counted from 1; null for what BLIP-2 takes from the family:
  /// CLIP's last but one, the last of the others.
  @Nullable public var layer: Int?
  /// Whether the encoder's final norm is applied; null for what BLIP-2 takes from the family: only
  /// DINOv2's is.
  @Nullable public var finalNorm: Bool?
  /// The side of the pictures in pixels; null for the encoder's own.
  @Nullable public var imageSize: Int?
  /// The precision of the encoder's products; null for that of the run. `int8` is for a frozen one.
  @Nullable public var precision: ProductPrecision?
  /// A frozen encoder is not trained and not in the checkpoints.
  public var frozen = true
  /// Computes the features of a frozen encoder once and keeps them in a file; training then reads them
  /// in place of the pictures.
  public var cache = false
  /// Where such files are kept.
  public var cacheFolder = "Checkpoints/features"
  /// The views of a training picture in such a file, one of them drawn at each visit: the first is
  /// the whole picture, the others are augmented.
  public var views = 1
  /// Multiplies the learning rate of an encoder that is trained.
  public var learningRateScale = 1.0
  /// What a new encoder is like.
  public var new = NewEncoder()

  public init() {}

  /// The kind and the sizes of an encoder that is trained from scratch.
  public struct NewEncoder: Codable, Equatable, Sendable {
    /// `eva` is the plain vision transformer that public BLIP-2 models hold.
    public enum Family: String, Codable, CaseIterable, Sendable {
      case dinov2, eva
    }

    public var family = Family.dinov2
    public var width = 192
    public var layers = 6
    public var heads = 3
    public var patchSize = 14
    public var imageSize = 112
    /// The standard deviation of the starting weights.
    public var initialDeviation: Float = 0.02
    public var positions = PositionStart.normal

    public init() {}
  }
}

/// What is trained on: one source, or several by weight.
public struct DataSourceConfiguration: Codable, Equatable, Sendable {
  /// A list (JSON, JSONL, CSV, TSV); a folder of pictures with `.txt` files beside them; tar shards:
  /// one, a folder of them, `name-*.tar` or `name-{00000..00331}.tar`. Null where there is a mix.
  @Nullable public var path: String?
  /// What a list's picture paths are relative to; null for the list's own folder.
  @Nullable public var imageFolder: String?
  /// `draw`: a sample for each picture, one caption drawn at each visit; `all`: one for each pair.
  public var captions = CaptionPolicy.draw
  /// Among how many samples of shards an epoch shuffles.
  public var shuffle = ShardSource.defaultShuffleWindow
  /// Several sources in place of one.
  public var mix: [MixedSourceConfiguration] = []

  public init() {}
}

/// One source of a mixture.
public struct MixedSourceConfiguration: ConfigurationElement, Equatable, Sendable {
  /// As that of one source.
  public var path = ""
  /// The share of the samples, in proportion to the other weights; null for the number of samples.
  @Nullable public var weight: Double?
  /// What a list's picture paths are relative to; null for the list's own folder.
  @Nullable public var imageFolder: String?
  /// `draw`: a sample for each picture, one caption drawn at each visit; `all`: one for each pair.
  public var captions = CaptionPolicy.draw
  /// Among how many samples of shards an epoch shuffles.
  public var shuffle = ShardSource.defaultShuffleWindow
  /// Whether its pictures go through RandAugment; null for what `augmentation.randAugment` says.
  @Nullable public var randAugment: Bool?

  public init() {}

  public static var template: MixedSourceConfiguration { MixedSourceConfiguration() }
}

/// Held-out pictures with all their captions.
public struct HeldOutConfiguration: Codable, Equatable, Sendable {
  /// A list, a folder of pictures or shards, as for training; null for none.
  @Nullable public var path: String?
  /// What a list's picture paths are relative to; null for the list's own folder.
  @Nullable public var imageFolder: String?

  public init() {}
}

/// The data of a run and how it is read.
public struct DataConfiguration: Codable, Equatable, Sendable {
  public var train = DataSourceConfiguration()
  /// Without a path there is no validation.
  public var validation = HeldOutConfiguration()
  /// A BERT vocabulary, one token a line.
  public var vocabulary = "Data/bert-vocabulary/vocab.txt"
  /// Tokens of a caption at most, `[CLS]` and `[SEP]` among them.
  public var maximumTextLength = 32
  /// Lower-cases captions and clears punctuation as the original does.
  public var cleanCaptions = true
  public var decoding = ImageDecoding()
  /// Pictures of more pixels are refused before they are decoded.
  public var maximumPixelCount = ImageDecoder.defaultMaximumPixelCount
  public var augmentation = Augmentation()
  /// The share of unreadable pictures past which a run ends.
  public var maximumBadShare = 0.01
  /// Threads that read ahead.
  public var workers = 2
  /// Batches that are kept ready.
  public var prefetchedBatches = 4

  public init() {}

  /// What training does to pictures; evaluation resizes the whole picture.
  public struct Augmentation: Codable, Equatable, Sendable {
    /// Random resized crops; off, the whole picture is resized.
    public var crop = true
    /// The smallest share of the area that a crop keeps.
    public var leastArea = 0.5
    public var flipProbability: Float = 0.5
    /// RandAugment after crop and flip, as the original does to Visual Genome.
    public var randAugment = false
    /// The operations that RandAugment draws for a picture.
    public var randAugmentOperations = 2
    /// How strong they are, 0 to 10.
    public var randAugmentMagnitude = 5.0

    /// Whether anything is done at all.
    var isOn: Bool { crop || flipProbability > 0 || randAugment }

    public init() {}
  }
}

/// How long and in what portions a run trains.
public struct TrainingConfiguration: Codable, Equatable, Sendable {
  /// Optimiser steps.
  public var steps = 250_000
  /// Pairs in a micro-batch; hard negatives come from it.
  public var batchSize = 64
  /// Micro-batches in a step; each one's mean loss weighs 1/N, and negatives stay within it.
  public var accumulation = 1
  /// Pairs of a micro-batch that go through stage 1's Q-Former at once, for batches larger than
  /// memory: losses and gradients stay those of the whole; null for all.
  @Nullable public var chunkSize: Int?
  /// Computes the inside of the Q-Former's layers again in the backward pass in place of keeping it.
  public var recomputeActivations = false
  /// The largest global norm of the gradients; null for no clipping.
  @Nullable public var clipNorm: Double?
  /// Steps in a row with a loss or gradient that is not finite, after which the run stops.
  public var stopAfterSkippedSteps = 10
  public var learningRate = LearningRateSchedule()
  public var adamW = AdamWConfiguration()

  public init() {}
}

/// When held-out pairs are looked at.
public struct ValidationConfiguration: Codable, Equatable, Sendable {
  /// Steps between validations; 0 for none but the last.
  public var every = 1000
  /// Pairs that are judged at once.
  public var batchSize = 64
  /// How many of the nearest by cosine are ranked again by ITM, both ways.
  public var rerank = 128

  public init() {}
}

/// When checkpoints are written and which are kept.
public struct CheckpointConfiguration: Codable, Equatable, Sendable {
  /// Steps between checkpoints; 0 for none but the last.
  public var every = 1000
  /// Minutes between checkpoints; null for none by time.
  @Nullable public var everyMinutes: Double?
  /// How many of the newest are kept, and the best by validation besides.
  public var keep = 3

  public init() {}
}

/// What is said while training.
public struct LogConfiguration: Codable, Equatable, Sendable {
  /// Steps between lines, in the log, in `metrics.jsonl` and in TensorBoard.
  public var every = 10
  /// Writes TensorBoard's event files to `tensorboard` in the output folder.
  public var tensorBoard = true
  /// Held-out pictures that are shown with their captions at each validation; 0 for none.
  public var pictures = 4

  public init() {}
}

/// What may differ from the checkpoint when a run is resumed.
public struct ResumeConfiguration: Codable, Equatable, Sendable {
  /// Goes on although the data's digest is another.
  public var allowChangedData = false

  public init() {}
}

/// Where the weights come from at the start of a new run.
public struct InitialiseConfiguration: Codable, Equatable, Sendable {
  /// A BERT folder (`model.safetensors`); null for random weights.
  @Nullable public var bert: String?
  /// A checkpoint of an earlier run, or its folder; the optimiser starts afresh.
  @Nullable public var checkpoint: String?

  public init() {}

  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws {
    if bert != nil && checkpoint != nil {
      throw ConfigurationError.invalidValue(
        field: "initialise", found: "both bert and checkpoint", expected: "one of them at most",
        advice: "the checkpoint holds what BERT gave already")
    }
  }
}
