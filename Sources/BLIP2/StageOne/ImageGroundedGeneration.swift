import Autograd
import Tensors

/// Image-grounded text generation, ITG (Li et al. 2023, §3.1): predict each token of the caption from
/// the queries and the tokens before it, under the multi-modal causal mask.
struct ImageGroundedGeneration {
  let model: StageOneModel

  /// Adds each text with `[DEC]` for `[CLS]`. `[SEP]` is left out: it is predicted, but nothing is
  /// predicted from it and nothing sees it.
  func addTexts(of batch: StageOneBatch, to pack: inout PackedSequences) {
    for (index, text) in batch.texts.enumerated() {
      pack.addText(
        [model.tokens.decoder] + text[1..<text.count - 1],
        view: .queriesAndEarlierText(queries: index), index: batch.indices[index],
        purpose: .generation)
    }
  }

  /// The mean loss over all tokens of all texts, of shape [].
  /// - Parameter states: The outputs of the texts' rows, `[tokens, width]`.
  func loss(_ batch: StageOneBatch, states: Variable) -> Variable {
    model.wordLoss(states, words: batch.texts.flatMap { $0.dropFirst() })
  }
}
