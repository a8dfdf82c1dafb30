import Tensors

/// Sequences that a language model continues token by token, with what it keeps of their past.
///
/// The generator decides which tokens come; the session knows the model. All its rows stand at the
/// same step.
public protocol DecodingSession: AnyObject {
  /// How many tokens the model knows: the width of its logits.
  var vocabularySize: Int { get }

  /// Reads the prompts. Called once, first.
  /// - Returns: The logits that follow each prompt, `[prompts, vocabulary]`.
  func start() throws -> Tensor

  /// Takes one more step: row i of the new state continues row `parents[i]` of the present one with
  /// `tokens[i]`. Rows may be dropped, repeated and reordered.
  /// - Returns: The logits that follow, `[tokens.count, vocabulary]`. They are changed in place where
  ///   nobody else holds them.
  func advance(_ tokens: [Int32], from parents: [Int]) -> Tensor
}
