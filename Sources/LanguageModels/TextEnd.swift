/// What a family's texts end with in BLIP-2, and what ends a generation (Li et al. 2023, §3.2).
public enum TextEnd: Sendable {
  /// The end token, as Llama and T5 have it.
  case endToken
  /// A line feed, as OPT has it, whose end token is its start token as well.
  case lineFeed
}
