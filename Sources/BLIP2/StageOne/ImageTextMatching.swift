import Autograd
import Layers
import Tensors

/// Image–text matching, ITM (Li et al. 2023, §3.1): is this the text of this image? Own pairs against
/// pairs with a hard negative image or a hard negative text, under the bidirectional mask.
struct ImageTextMatching {
  let model: StageOneModel

  struct Result {
    /// The mean cross-entropy over all candidates, of shape [].
    let loss: Variable
    /// `[candidates, 2]`.
    let logits: Variable
  }

  /// A pair to be judged: numbers of an image and a text in the batch.
  struct Candidate {
    var image: Int
    let text: Int
    let isMatch: Bool
    /// The pair of the batch that it stems from.
    let origin: Int
    let purpose: SequencePurpose
  }

  func callAsFunction(
    _ batch: StageOneBatch, contrast: ImageTextContrast.Result, negatives: NegativeChoice,
    images: [AttentionSource?], randomness: TrainingRandomness?
  ) -> Result {
    result(
      candidates(batch, contrast: contrast, negatives: negatives), of: batch,
      images: images, randomness: randomness)
  }

  /// The mean loss of some candidates of a batch.
  func result(
    _ candidates: [Candidate], of batch: StageOneBatch, images: [AttentionSource?],
    randomness: TrainingRandomness?
  ) -> Result {
    let logits = logits(
      candidates, texts: batch.texts, imageTokens: batch.imageTokens, images: images,
      firstIndex: batch.firstIndex, randomness: randomness)
    return Result(
      loss: logits.crossEntropy(classes: candidates.map { $0.isMatch ? 1 : 0 }), logits: logits)
  }

  /// All candidates of a batch, with negatives as they are given or drawn.
  func candidates(
    _ batch: StageOneBatch, contrast: ImageTextContrast.Result, negatives: NegativeChoice
  ) -> [Candidate] {
    precondition(
      contrast.ids.count == batch.texts.count,
      "matching needs the features and texts of all gathered pairs, not those of one process")
    let drawn =
      switch negatives {
      case .given(let negatives): negatives
      case .drawn(let generator):
        HardNegatives.drawn(
          from: contrast, hard: model.configuration.hardNegatives, generator: generator,
          firstIndex: batch.firstIndex)
      }
    return ImageTextMatching.candidates(pairs: batch.texts.count, negatives: drawn)
  }

  /// Own pairs, then (negative image, text), then (image, negative text).
  static func candidates(pairs: Int, negatives: HardNegatives) -> [Candidate] {
    let own = (0..<pairs).map {
      Candidate(image: $0, text: $0, isMatch: true, origin: $0, purpose: .match)
    }
    let withImages = negatives.images.enumerated().compactMap { text, image in
      image.map {
        Candidate(image: $0, text: text, isMatch: false, origin: text, purpose: .negativeImage)
      }
    }
    let withTexts = negatives.texts.enumerated().compactMap { image, text in
      text.map {
        Candidate(image: image, text: $0, isMatch: false, origin: image, purpose: .negativeText)
      }
    }
    return own + withImages + withTexts
  }

  /// The match logits of the candidates, `[candidates, 2]`; class 1 is a match.
  func logits(
    _ candidates: [Candidate], texts: [[Int32]], imageTokens: Int, images: [AttentionSource?],
    firstIndex: Int = 0, randomness: TrainingRandomness? = nil
  ) -> Variable {
    model.matchingLogits(
      queryOutputs(
        candidates, texts: texts, imageTokens: imageTokens, images: images,
        firstIndex: firstIndex, randomness: randomness))
  }

  /// The query outputs of the candidates, `[candidates · queries, width]`.
  func queryOutputs(
    _ candidates: [Candidate], texts: [[Int32]], imageTokens: Int, images: [AttentionSource?],
    firstIndex: Int = 0, randomness: TrainingRandomness? = nil
  ) -> Variable {
    var pack = PackedSequences(queryCount: model.queryCount)
    for candidate in candidates {
      let index = firstIndex + candidate.origin
      let queries = pack.addQueries(
        image: candidate.image, index: index, purpose: candidate.purpose)
      pack.addText(
        texts[candidate.text], view: .queriesBothWays(queries: queries), index: index,
        purpose: candidate.purpose, reading: .none)
    }
    pack.layOut(imageTokens: imageTokens)
    let output = model.qFormer(
      pack, images: images, randomness: randomness, recomputing: model.recomputesActivations)
    guard let queries = output.queries else { preconditionFailure("candidates have queries") }
    return queries
  }
}
