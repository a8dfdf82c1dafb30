import Configuration
import Datasets
import Files
import Foundation
import Layers
import Tensors
import Training
import VisionEncoders

/// Where the frozen (or trained) image encoder comes from and what of it goes on.
public struct VisionConfiguration: Codable, Equatable, Sendable {
  @Key(
    .input,
    "A folder with `config.json` and weights, or a file in the names of EVA's authors; null for "
      + "a new encoder of the sizes in `new`.",
    resume: .free)
  public var path: String? = nil
  @Key(
    1...1024,
    "The number of attention heads, for a file that does not say it; null for what is in the "
      + "file, or else one for each 88 of the width.")
  public var heads: Int? = nil
  @Key(
    1...512,
    "The block whose output goes on, counted from 1; null for what BLIP-2 takes from the "
      + "family: CLIP's last but one, the last of the others.")
  public var layer: Int? = nil
  @Key(
    "Whether the encoder's final norm is applied; null for what BLIP-2 takes from the family: "
      + "only DINOv2's is.")
  public var finalNorm: Bool? = nil
  @Key(1...8192, "The side of the images in pixels; null for the encoder's own.")
  public var imageSize: Int? = nil
  @Key(
    "The precision of the encoder's products; null for that of the run. `int8` is for a frozen "
      + "one.")
  public var precision: ProductPrecision? = nil
  @Key("A frozen encoder is not trained and not in the checkpoints.")
  public var frozen = true
  @Key(
    "Computes the features of a frozen encoder once and keeps them in a file; training then "
      + "reads them in place of the images.")
  public var cache = false
  @Key("Where such files are kept.", resume: .free)
  public var cacheFolder = "Checkpoints/features"
  @Key(
    1...1024,
    "The views of a training image in such a file, one of them drawn at each visit: the first "
      + "is the whole image, the others are augmented.",
    formerly: "cachedViews")
  public var views = 1
  @Key(0...1e6, "Multiplies the learning rate of an encoder that is trained.", resume: .named)
  public var learningRateScale = 1.0
  @Key("What a new encoder is like.")
  public var new = NewEncoder()

  public init() {}

  /// The kind and the sizes of an encoder that is trained from scratch.
  public struct NewEncoder: Codable, Equatable, Sendable {
    /// `eva` is the plain vision transformer that public BLIP-2 models hold.
    public enum Family: String, Codable, CaseIterable, Sendable {
      case dinov2, eva
    }

    @Key("The kind; `eva` is the plain vision transformer that public BLIP-2 models hold.")
    public var family = Family.dinov2
    @Key(1...16_384, "The width of the blocks.")
    public var width = 192
    @Key(1...512, "Blocks.")
    public var layers = 6
    @Key(1...1024, "Attention heads; a divisor of the width.")
    public var heads = 3
    @Key(1...1024, "The side of a patch in pixels.")
    public var patchSize = 14
    @Key(1...8192, "The side of the images in pixels.")
    public var imageSize = 112
    @Key(0...100, "The standard deviation of the starting weights.")
    public var initialDeviation: Float = 0.02
    @Key("What the table of positions starts as.")
    public var positions = PositionStart.normal

    public init() {}
  }
}

/// How the pairs of a source are read.
public struct SourceReading: Codable, Equatable, Sendable {
  @Key(.input, "What a list's image paths are relative to; null for the list's own folder.")
  public var imageFolder: String? = nil
  @Key(
    "`draw`: a sample for each image, one caption drawn at each visit; `all`: one for each "
      + "pair.")
  public var captions = CaptionPolicy.draw
  @Key(1...Int(Int32.max), "Among how many samples of shards an epoch shuffles.")
  public var shuffle = ShardSource.defaultShuffleWindow

  func location(_ path: String) -> SourceLocation {
    SourceLocation(
      path: path, imageFolder: imageFolder, captions: captions, shuffleWindow: shuffle)
  }
}

/// What is trained on: one source, or several by weight.
public struct DataSourceConfiguration: Codable, Equatable, Sendable {
  @Key(
    .input,
    "A list (JSON, JSONL, CSV, TSV); a folder of images with `.txt` files beside them; tar "
      + "shards: one, a folder of them, `name-*.tar` or `name-{00000..00331}.tar`. Null where there "
      + "is a mix.")
  public var path: String? = nil
  @Inlined public var reading = SourceReading()
  @Key(
    "Several sources in place of one, each with `path`, `weight`, `imageFolder`, `captions`, "
      + "`shuffle` and `randAugment`.")
  public var mix: [MixedSourceConfiguration] = []

  public init() {}
}

/// One source of a mixture.
public struct MixedSourceConfiguration: ConfigurationElement, Equatable, Sendable {
  @Key(.input, "As that of one source.")
  public var path = ""
  @Key(
    1e-9...1e15,
    "The share of the samples, in proportion to the other weights; null for the number of "
      + "samples.")
  public var weight: Double? = nil
  @Inlined public var reading = SourceReading()
  @Key(
    "Whether its images go through RandAugment; null for what `augmentation.randAugment` "
      + "says.")
  public var randAugment: Bool? = nil

  public init() {}

  public static var template: MixedSourceConfiguration { MixedSourceConfiguration() }
}

/// Held-out images with all their captions.
public struct HeldOutConfiguration: Codable, Equatable, Sendable {
  @Key(.input, "A list, a folder of images or shards, as for training; null for none.")
  public var path: String? = nil
  @Key(.input, "What a list's image paths are relative to; null for the list's own folder.")
  public var imageFolder: String? = nil

  public init() {}
}

/// The data of a run and how it is read.
public struct DataConfiguration: Codable, Equatable, Sendable {
  @Key("What is trained on: one source, or several by weight.")
  public var train = DataSourceConfiguration()
  @Key(
    "Held-out images with all their captions; without a path there is no validation.",
    resume: .scores)
  public var validation = HeldOutConfiguration()
  @Key(.input, "A BERT vocabulary, one token a line; found beside the program too.")
  public var vocabulary = "Data/bert-vocabulary/vocab.txt"
  @Key(3...65_536, "Tokens of a caption at most, `[CLS]` and `[SEP]` among them.")
  public var maximumTextLength = 32
  @Key("Lower-cases captions and clears punctuation as the original does.")
  public var cleanCaptions = true
  @Key("What becomes of the parts of an image that three 8-bit channels cannot hold.")
  public var decoding = ImageDecoding()
  @Key(1...(1 << 29), "Images of more pixels are refused before they are decoded.")
  public var maximumPixelCount = ImageDecoder.defaultMaximumPixelCount
  @Key("What training does to images; evaluation resizes the whole image.")
  public var augmentation = Augmentation()
  @Key(0...1, "The share of unreadable images past which a run ends.")
  public var maximumBadShare = 0.01
  @Key(1...1024, "Threads that read ahead.", resume: .free)
  public var workers = 2
  @Key(1...1024, "Batches that are kept ready.", resume: .free)
  public var prefetchedBatches = 4

  public init() {}

  var vocabularyFile: URL { ProgramFiles.url(vocabulary) }

  /// What training does to images; evaluation resizes the whole image.
  public struct Augmentation: Codable, Equatable, Sendable {
    @Key("Random resized crops; off, the whole image is resized.")
    public var crop = true
    @Key(0.01...1, "The smallest share of the area that a crop keeps.")
    public var leastArea = 0.5
    @Key(0...1, "How often an image is mirrored; 0 where captions say left or right.")
    public var flipProbability: Float = 0.5
    @Key("RandAugment after crop and flip, as the original does to Visual Genome.")
    public var randAugment = false
    @Key(1...16, "The operations that RandAugment draws for an image.")
    public var randAugmentOperations = 2
    @Key(0...10, "How strong they are.")
    public var randAugmentMagnitude = 5.0

    /// Whether anything is done at all.
    var isOn: Bool { crop || flipProbability > 0 || randAugment }

    public init() {}
  }
}

/// When held-out pairs are looked at.
public struct ValidationConfiguration: Codable, Equatable, Sendable {
  @Key(0...Int.max, "Steps between validations; 0 for none but the last.", resume: .named)
  public var every = 1000
  @Key(1...65_536, "Pairs that are evaluated at once.")
  public var batchSize = 64
  @Key(0...1_000_000, "How many of the nearest by cosine are ranked again by ITM, both ways.")
  public var rerank = 128

  public init() {}
}

/// Where the weights come from at the start of a new run.
public struct InitialiseConfiguration: Codable, Equatable, Sendable {
  @Key(.input, "A BERT folder (`model.safetensors`); null for random weights.")
  public var bert: String? = nil
  @Key(
    .input,
    "A checkpoint of an earlier run, or its folder; or a public BLIP-2: a Hugging Face folder, or a "
      + "file of the authors'. The optimiser starts afresh.",
    formerly: "checkpoint")
  public var from: String? = nil

  public init() {}

  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws {
    try require(
      bert == nil || from == nil, "initialise", found: "both bert and from",
      expected: "one of them at most", advice: "a trained model holds what BERT gave already")
  }
}
