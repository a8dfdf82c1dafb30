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

  /// A pair to be judged: places of an image and a text in the whole batch.
  struct Candidate {
    var image: Int
    let text: Int
    let isMatch: Bool
    /// The pair of the batch that it stems from.
    let origin: Int
    let purpose: SequencePurpose
  }

  /// The mean loss of some candidates.
  /// - Parameters:
  ///   - texts: What the candidates' texts number.
  ///   - indices: What their origins number: the pairs' numbers in the global batch.
  func result(
    _ candidates: [Candidate], texts: [[Int32]], indices: [Int], imageTokens: Int,
    images: [AttentionSource?], randomness: TrainingRandomness?
  ) -> Result {
    let logits = logits(
      candidates, texts: texts, imageTokens: imageTokens, images: images, indices: indices,
      randomness: randomness)
    return Result(
      loss: logits.crossEntropy(classes: candidates.map { $0.isMatch ? 1 : 0 }), logits: logits)
  }

  /// All candidates of the whole batch, with negatives as they are given for the own pairs or drawn.
  func candidates(
    _ batch: StageOneBatch, of whole: WholeBatch, contrast: ImageTextContrast.Result,
    negatives: NegativeChoice, communicator: some Communicator
  ) -> [Candidate] {
    let own =
      switch negatives {
      case .given(let negatives): negatives
      case .drawn(let generator):
        HardNegatives.drawn(
          from: contrast, hard: model.configuration.hardNegatives, generator: generator,
          indices: batch.indices)
      }
    return ImageTextMatching.candidates(
      pairs: whole.texts.count, negatives: own.gathered(of: whole, communicator))
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
  /// - Parameter indices: The numbers of the pairs that candidates stem from; nil for their places.
  func logits(
    _ candidates: [Candidate], texts: [[Int32]], imageTokens: Int, images: [AttentionSource?],
    indices: [Int]? = nil, randomness: TrainingRandomness? = nil
  ) -> Variable {
    model.matchingLogits(
      queryOutputs(
        candidates, texts: texts, imageTokens: imageTokens, images: images,
        indices: indices, randomness: randomness))
  }

  /// The query outputs of the candidates, `[candidates · queries, width]`.
  func queryOutputs(
    _ candidates: [Candidate], texts: [[Int32]], imageTokens: Int, images: [AttentionSource?],
    indices: [Int]? = nil, randomness: TrainingRandomness? = nil
  ) -> Variable {
    var pack = PackedSequences(queryCount: model.queryCount)
    for candidate in candidates {
      let index = indices?[candidate.origin] ?? candidate.origin
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

extension HardNegatives {
  /// The choices of all processes, for the pairs in their order.
  fileprivate func gathered(
    of whole: WholeBatch, _ communicator: some Communicator
  ) -> HardNegatives {
    guard communicator.count > 1 else { return self }
    let parts = [images, texts].map { choices in
      communicator.gathered(choices.map { Int64($0 ?? -1) })
    }
    let all = parts.map { part in
      var choices = [Int?](repeating: nil, count: whole.texts.count)
      for (place, choice) in zip(whole.places.joined(), part.joined()) where choice >= 0 {
        choices[place] = Int(choice)
      }
      return choices
    }
    return HardNegatives(images: all[0], texts: all[1])
  }
}
