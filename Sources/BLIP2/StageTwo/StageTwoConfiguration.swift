import Configuration

/// What stage 2 trains and how a caption is put before the language model (Li et al. 2023, §3.2).
public struct StageTwoConfiguration: Codable, Equatable, Sendable {
  @Key(
    "The sizes of the Q-Former; what a recipe does not give is as in the run that it begins from.")
  public var qFormer = QFormerConfiguration()
  @Key("Which tokens the language model is to predict, and after which.")
  public var objective = StageTwoObjective()

  public init() {}
}

/// Which tokens the language model is to predict, and after which.
public struct StageTwoObjective: Codable, Equatable, Sendable {
  @Key(
    "What stands between the soft prompt and the tokens that are predicted: what BLIP-2 does "
      + "with the family (auto: nothing before a decoder's text, a drawn beginning for an "
      + "encoder-decoder), nothing, the same words each time, or the caption's own beginning, cut "
      + "at a place drawn at each visit.")
  public var prefix = Prefix.auto
  @Key("The words before every caption, with the prefix `prompt`.")
  public var prompt = "a photo of"

  /// What stands between the soft prompt and the tokens that are predicted.
  public enum Prefix: String, Codable, CaseIterable, Sendable {
    /// What BLIP-2 does with the family: nothing before a decoder's text, a drawn beginning for an
    /// encoder-decoder.
    case auto
    /// Nothing: the whole caption is predicted from the image.
    case none
    /// The same words each time.
    case prompt
    /// The beginning of the caption, cut at a place drawn anew at each visit.
    case drawn
  }

  public init() {}
}
