import Autograd
import Layers
import Objectives
import Tensors

/// What retrieval needs of a stage-1 model, without gradients (Li et al. 2023, §4.3).
extension StageOneModel {
  /// Unit features of images, `[images, queries, embedding]`.
  /// - Parameter features: `[images, tokens, vision width]`.
  public func imageFeatures(_ features: Variable) -> Tensor {
    unimodalFeatures(ofImages: features).features.reshaped(
      [features.shape[0], queryCount, configuration.embeddingWidth])
  }

  /// Unit features of texts `[CLS] … [SEP]`, `[texts, embedding]`.
  public func textFeatures(_ texts: [[Int32]]) -> Tensor {
    withoutGradients {
      textEmbedding(textStates(texts, reading: .first)).value
    }
  }

  /// The cosine of every image and every text: the maximum over the queries, not divided by the
  /// temperature, `[images, texts]`.
  public func cosines(images: Tensor, texts: Tensor) -> Tensor {
    let rows = images.reshaped([images.shape[0] * queryCount, configuration.embeddingWidth])
    return Variable(rows.product(texts, .secondTransposed)).maximumOfRows(inGroupsOf: queryCount)
      .value
  }

  /// The match logit of pairs, averaged over the queries.
  /// - Parameters:
  ///   - pairs: Numbers of an image and of a text.
  ///   - features: `[images, tokens, vision width]`.
  public func matchLogits(
    _ pairs: [(image: Int, text: Int)], features: Variable, texts: [[Int32]]
  ) -> [Float] {
    withoutGradients {
      let images = features.shape[0]
      let matching = ImageTextMatching(
        model: self, texts: texts, imageTokens: features.shape[1],
        images: qFormer.imageMemory(
          features, norm: visionNorm, readings: (pairs.count + images - 1) / max(1, images)))
      let candidates = pairs.enumerated().map { index, pair in
        MatchingCandidate(
          image: pair.image, text: pair.text, origin: index, kind: .match)
      }
      // As many pairs at once as the losses of a batch of 64 need.
      return stride(from: 0, to: candidates.count, by: 192).flatMap { start in
        let part = Array(candidates[start..<min(candidates.count, start + 192)])
        let values = matching.logits(part).value.values
        return part.indices.map { values[2 * $0 + 1] }
      }
    }
  }
}
