import Configuration

/// What stage 1 trains and how its losses are formed (Li et al. 2023, §3.1).
public struct StageOneConfiguration: Codable, Equatable, Sendable {
  @Key("The sizes of the Q-Former.")
  public var qFormer = QFormerConfiguration()
  @Key(1...65_536, "The width of the features that are compared.")
  public var embeddingWidth = 256
  @Key(0.001...1000, "The divisor of the similarities at the start.")
  public var initialTemperature: Float = 0.07
  @Key("Which of the three losses are summed.")
  public var objectives = Objectives()
  @Key(
    "What each loss counts for in the sum; in the original all count for 1. Reported losses are "
      + "not weighted.")
  public var lossWeights = LossWeights()
  @Key("The share of a target that is spread over all others.")
  public var labelSmoothing = LabelSmoothing()
  @Key("Draws the negatives of matching by their similarity; off, all equally often.")
  public var hardNegatives = true
  @Key("Keeps the contrastive gradient of the features compared against; the original drops it.")
  public var gradientThroughNegatives = false

  public init() {}

  /// Which of the three losses are summed.
  public struct Objectives: Codable, Equatable, Sendable {
    @Key("Image-text contrast (ITC).")
    public var contrast = true
    @Key("Image-text matching (ITM).")
    public var matching = true
    @Key("Image-grounded generation (ITG).")
    public var generation = true

    public init() {}
  }

  /// What each loss counts for in the sum; in the original all count for 1. Reported losses are not
  /// weighted.
  public struct LossWeights: Codable, Equatable, Sendable {
    @Key(0...1000, "Of ITC.")
    public var contrast: Float = 1
    @Key(0...1000, "Of ITM.")
    public var matching: Float = 1
    @Key(0...1000, "Of ITG.")
    public var generation: Float = 1

    public init() {}
  }

  public struct LabelSmoothing: Codable, Equatable, Sendable {
    @Key(0...1, "Of ITC.")
    public var contrast: Float = 0.1
    @Key(0...1, "Of ITG.")
    public var generation: Float = 0.1

    public init() {}
  }
}
