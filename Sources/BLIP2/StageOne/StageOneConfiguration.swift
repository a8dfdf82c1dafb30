/// What stage 1 trains and how its losses are formed (Li et al. 2023, §3.1).
public struct StageOneConfiguration: Codable, Equatable, Sendable {
  public var qFormer = QFormerConfiguration()
  /// The width of the features that are compared.
  public var embeddingWidth = 256
  /// The divisor of the similarities at the start.
  public var initialTemperature: Float = 0.07
  public var objectives = Objectives()
  public var lossWeights = LossWeights()
  public var labelSmoothing = LabelSmoothing()
  /// Draws the negatives of matching by their similarity; off, all equally often.
  public var hardNegatives = true
  /// Keeps the contrastive gradient of the features compared against; the original drops it.
  public var gradientThroughNegatives = false

  public init() {}

  /// Which of the three losses are summed.
  public struct Objectives: Codable, Equatable, Sendable {
    public var contrast = true
    public var matching = true
    public var generation = true

    public init() {}
  }

  /// What each loss counts for in the sum; in the original all count for 1. Reported losses are not
  /// weighted.
  public struct LossWeights: Codable, Equatable, Sendable {
    public var contrast: Float = 1
    public var matching: Float = 1
    public var generation: Float = 1

    public init() {}
  }

  public struct LabelSmoothing: Codable, Equatable, Sendable {
    public var contrast: Float = 0.1
    public var generation: Float = 0.1

    public init() {}
  }
}
