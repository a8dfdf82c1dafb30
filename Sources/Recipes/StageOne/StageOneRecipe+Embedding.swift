import Autograd
import BLIP2
import Checkpointing
import Foundation
import Reporting
import Tensors
import Training

/// The features of images, texts and pairs of them, as the authors' extractor gives them.
extension StageOneRecipe {
  /// One thing's features.
  public enum Embedding {
    /// Query outputs `[queries, width]` and their unit projections `[queries, embedding]`.
    case image(path: String, embeddings: Tensor, features: Tensor)
    /// Token outputs `[tokens, width]` and their unit projections `[tokens, embedding]`; the first
    /// row, `[CLS]`, stands for the text.
    case text(String, tokens: [Int32], embeddings: Tensor, features: Tensor)
    /// Query outputs of an image and a text that see each other, `[queries, width]`.
    case pair(path: String, text: String, embeddings: Tensor)

    fileprivate var tensors: [Tensor] {
      switch self {
      case .image(_, let embeddings, let features): [embeddings, features]
      case .text(_, _, let embeddings, let features): [embeddings, features]
      case .pair(_, _, let embeddings): [embeddings]
      }
    }
  }
}

extension LoadedRecipe where R == StageOneRecipe {
  /// Computes features: of the images, of the texts, and, where both are given, of each image
  /// with the text of its place.
  /// - Parameters:
  ///   - show: Gets each result as soon as there is one: images and pairs first, then texts.
  /// - Returns: How many images were passed over.
  /// - Throws: `RunError.unequalCounts`, `RunError.noImages`, ``Interrupted``, or what `show` throws.
  public func embed(
    images paths: [String], texts: [String], report: @escaping (String) -> Void,
    show hand: (StageOneRecipe.Embedding) throws -> Void
  ) throws -> Int {
    guard paths.isEmpty || texts.isEmpty || paths.count == texts.count else {
      throw RunError.unequalCounts(images: paths.count, texts: texts.count)
    }
    let tokens = texts.map { self.tokens($0, report) }
    func show(_ result: StageOneRecipe.Embedding) throws {
      if result.tensors.contains(where: \.hasNonFinite) {
        throw recipe.model.notFinite("the embeddings are")
      }
      try hand(result)
    }
    let skipped = try recipe.eachBatch(of: paths, report: report) { places, features in
      try embedImages(places.map { paths[$0] }, features, show)
      if !texts.isEmpty {
        let pairs = recipe.qFormer.multimodalEmbeddings(
          images: features, texts: places.map { tokens[$0] })
        let queries = recipe.qFormer.queryCount
        for (row, place) in places.enumerated() {
          try show(
            .pair(
              path: paths[place], text: texts[place],
              embeddings: pairs.rows(row * queries..<(row + 1) * queries)))
        }
      }
    }
    let progress = WorkProgress(texts.count, "texts")
    defer { progress.finish() }
    for start in stride(from: 0, to: texts.count, by: 64) {
      try StopRequest.check()
      let end = min(texts.count, start + 64)
      try embedTexts(Array(texts[start..<end]), Array(tokens[start..<end]), show)
      progress.advance(to: end)
    }
    return skipped
  }

  /// All positions that the model has are used: the extractor does not cut texts as training does.
  private func tokens(_ text: String, _ report: (String) -> Void) -> [Int32] {
    let room = configuration.model.qFormer.maximumPositions
    let tokens = recipe.tokenizer.tokens(text, maximumLength: room + 1)
    guard tokens.count > room else { return tokens }
    report("cut after \(room) tokens, as many as the model has positions: \(text.prefix(60))…")
    return recipe.tokenizer.tokens(text, maximumLength: room)
  }

  private func embedImages(
    _ paths: [String], _ features: Variable, _ show: (StageOneRecipe.Embedding) throws -> Void
  ) throws {
    let all = recipe.qFormer.unimodalFeatures(ofImages: features)
    let queries = recipe.qFormer.queryCount
    for (row, path) in paths.enumerated() {
      let rows = row * queries..<(row + 1) * queries
      try show(
        .image(path: path, embeddings: all.embeddings.rows(rows), features: all.features.rows(rows))
      )
    }
  }

  private func embedTexts(
    _ texts: [String], _ tokens: [[Int32]], _ show: (StageOneRecipe.Embedding) throws -> Void
  ) throws {
    let all = recipe.qFormer.unimodalFeatures(ofTexts: tokens)
    var first = 0
    for (text, tokens) in zip(texts, tokens) {
      let rows = first..<first + tokens.count
      first += tokens.count
      try show(
        .text(
          text, tokens: tokens, embeddings: all.embeddings.rows(rows),
          features: all.features.rows(rows)))
    }
  }
}
