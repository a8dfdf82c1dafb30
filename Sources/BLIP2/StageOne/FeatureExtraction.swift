import Autograd
import Layers
import Objectives
import Tensors

/// What the Q-Former makes of images, texts and pairs, without gradients: the same numbers as the
/// three modes of the authors' `extract_features`.
extension StageOneModel {
  /// What images or texts become by themselves.
  public struct UnimodalFeatures {
    /// The Q-Former's outputs, `[rows, width]`.
    public let embeddings: Tensor
    /// The outputs projected to the common space, each row of length 1, `[rows, embedding]`.
    public let features: Tensor
  }

  /// Images seen by the queries alone.
  /// - Parameter features: `[images, tokens, vision width]`.
  /// - Returns: `images · queries` rows.
  public func unimodalFeatures(ofImages features: Variable) -> UnimodalFeatures {
    withoutGradients {
      guard let queries = qFormer.read(features, norm: visionNorm).queries else {
        preconditionFailure("images have queries")
      }
      return UnimodalFeatures(embeddings: queries.value, features: imageEmbedding(queries).value)
    }
  }

  /// Texts `[CLS] … [SEP]` that see no image.
  /// - Returns: A row for each token, one text after another; a text's first row, `[CLS]`, stands for
  ///   all of it.
  public func unimodalFeatures(ofTexts texts: [[Int32]]) -> UnimodalFeatures {
    withoutGradients {
      let states = textStates(texts, reading: .all)
      return UnimodalFeatures(embeddings: states.value, features: textEmbedding(states).value)
    }
  }

  /// Pairs whose queries and text see each other, as ITM judges them.
  /// - Parameters:
  ///   - features: `[pairs, tokens, vision width]`.
  ///   - texts: `[CLS] … [SEP]`, one for each image.
  /// - Returns: The query outputs, `[pairs · queries, width]`.
  public func multimodalEmbeddings(images features: Variable, texts: [[Int32]]) -> Tensor {
    precondition(
      features.shape[0] == texts.count, "image features \(features.shape) for \(texts.count) texts")
    return withoutGradients {
      let candidates = texts.indices.map {
        MatchingCandidate(image: $0, text: $0, origin: $0, kind: .match)
      }
      return ImageTextMatching(
        model: self, texts: texts, imageTokens: features.shape[1],
        images: qFormer.imageMemory(features, norm: visionNorm, readings: 1)
      ).queryOutputs(candidates).value
    }
  }

  /// Outputs of texts alone.
  func textStates(_ texts: [[Int32]], reading: PackedSequences.ReadTokens) -> Variable {
    var pack = PackedSequences(queryCount: queryCount)
    for (index, text) in texts.enumerated() {
      pack.addText(text, view: .itself, index: index, purpose: .text, reading: reading)
    }
    pack.layOut(imageTokens: 0)
    guard let states = qFormer(pack, images: nil).texts else {
      preconditionFailure("a text has at least [CLS] and [SEP]")
    }
    return states
  }
}
