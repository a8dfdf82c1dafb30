import Autograd
import Layers
import Objectives
import Tensors

/// Image–text matching, ITM (Li et al. 2023, §3.1): is this the text of this image? Own pairs against
/// pairs with a hard negative image or a hard negative text, under the bidirectional mask.
struct ImageTextMatching {
  let model: StageOneModel
  /// What the candidates' texts number.
  let texts: [[Int32]]
  /// What their origins number: the pairs' numbers in the global batch; nil for their places.
  var indices: [Int]?
  let imageTokens: Int
  /// What the candidates' images number (`QFormer.imageMemory`).
  let images: [AttentionSource?]
  var randomness: TrainingRandomness?

  struct Result {
    /// The mean cross-entropy over all candidates, of shape [].
    let loss: Variable
    /// `[candidates, 2]`.
    let logits: Variable
  }

  /// The mean loss of some candidates.
  func result(_ candidates: [MatchingCandidate]) -> Result {
    let logits = logits(candidates)
    return Result(
      loss: logits.crossEntropy(classes: candidates.map { $0.isMatch ? 1 : 0 }), logits: logits)
  }

  /// The match logits of the candidates, `[candidates, 2]`; class 1 is a match.
  func logits(_ candidates: [MatchingCandidate]) -> Variable {
    model.matchingLogits(queryOutputs(candidates))
  }

  /// The query outputs of the candidates, `[candidates · queries, width]`.
  func queryOutputs(_ candidates: [MatchingCandidate]) -> Variable {
    var pack = PackedSequences(queryCount: model.queryCount)
    for candidate in candidates {
      let index = indices?[candidate.origin] ?? candidate.origin
      let purpose: SequencePurpose =
        switch candidate.kind {
        case .match: .match
        case .negativeImage: .negativeImage
        case .negativeText: .negativeText
        }
      let queries = pack.addQueries(image: candidate.image, index: index, purpose: purpose)
      pack.addText(
        texts[candidate.text], view: .queriesBothWays(queries: queries), index: index,
        purpose: purpose, reading: .none)
    }
    pack.layOut(imageTokens: imageTokens)
    let output = model.qFormer(
      pack, images: images, randomness: randomness, recomputing: model.recomputesActivations)
    guard let queries = output.queries else { preconditionFailure("candidates have queries") }
    return queries
  }
}

extension StageOneModel {
  /// What matching judges of the whole batch, with negatives as they are given for the own pairs or drawn.
  func candidates(
    _ batch: StageOneBatch, of whole: WholeBatch, contrast: ImageTextContrast.Result,
    negatives: NegativeChoice, communicator: some Communicator
  ) -> [MatchingCandidate] {
    let own =
      switch negatives {
      case .given(let negatives): negatives
      case .drawn(let generator):
        HardNegatives.drawn(
          from: contrast, hard: configuration.hardNegatives, generator: generator,
          indices: batch.indices)
      }
    return MatchingCandidate.all(
      pairs: whole.texts.count, negatives: own.gathered(of: whole, communicator))
  }
}
