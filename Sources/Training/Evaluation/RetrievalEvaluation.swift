import Autograd
import BLIP2
import Datasets
import Tensors

/// Retrieval on held-out pairs: by cosine alone, and with the nearest ranked again by ITM.
struct RetrievalEvaluation {
  let model: StageOneModel
  let tower: VisionTower
  let data: RunData
  let configuration: ValidationConfiguration

  struct Result {
    var imageCount: Int
    var textCount: Int
    var skipped: [SkippedSample]
    var cosine: RetrievalScores
    /// Nil without re-ranking.
    var reranked: RetrievalScores?
    var chance: RetrievalScores
  }

  /// Texts are cut at 35 tokens here, as the original does.
  private static let maximumTextLength = 35

  /// - Returns: nil if the run was asked to stop.
  func run(on dataset: CaptionDataset) throws -> Result? {
    var images: [Int] = []
    var rows: [Tensor] = []
    var skipped: [SkippedSample] = []
    let loader = try data.evaluationLoader(
      dataset, tower: tower, batchSize: configuration.batchSize)
    while let batch = try loader.next() {
      if StopRequest.signal != nil { return nil }
      images += batch.samples.map(\.index)
      skipped += batch.skipped
      rows.append(model.imageFeatures(tower.features(batch.pixelTensor)))
    }
    skipped += loader.skipped
    let texts = HeldOutTexts(dataset, images: images, tokenizer: data.tokenizer)
    let textRows = texts.features(model, batchSize: configuration.batchSize)
    let queries = rows.map { Variable($0) }
    let width = model.configuration.embeddingWidth
    let imageRows = Variable.concatenatedRows(queries).value.reshaped(
      [images.count, model.queryCount, width])
    let cosines = model.cosines(images: imageRows, texts: textRows)
    let byImage = (0..<images.count).map { cosines.rows($0..<$0 + 1).values }
    let transposed = cosines.transposed()
    let byText = (0..<texts.tokens.count).map { transposed.rows($0..<$0 + 1).values }
    let cosineScores = RetrievalScores(
      imageToText: byImage, textToImage: byText, imageOfText: texts.imageOfText)
    var reranked: RetrievalScores?
    if configuration.rerank > 0, model.configuration.objectives.matching {
      reranked = try rerank(byImage, byText, texts, dataset)
      if reranked == nil { return nil }
    }
    return Result(
      imageCount: images.count, textCount: texts.tokens.count, skipped: skipped,
      cosine: cosineScores, reranked: reranked,
      chance: .chance(imageCount: images.count, imageOfText: texts.imageOfText))
  }

  /// The first `rerank` of each row score match logit + cosine, all others −100 (spec of the
  /// original). The pairs of both directions are judged image by image, each once; the pictures are
  /// read a second time, since the features of a large set do not fit in memory.
  private func rerank(
    _ byImage: [[Float]], _ byText: [[Float]], _ texts: HeldOutTexts, _ dataset: CaptionDataset
  ) throws -> RetrievalScores? {
    let nearTexts = byImage.map { RetrievalEvaluation.best($0, configuration.rerank) }
    let nearImages = byText.map { RetrievalEvaluation.best($0, configuration.rerank) }
    var wanted = nearTexts.map(Set.init)
    for (text, images) in nearImages.enumerated() {
      for image in images { wanted[image].insert(text) }
    }
    var imageScores = byImage.map { [Float](repeating: -100, count: $0.count) }
    var textScores = byText.map { [Float](repeating: -100, count: $0.count) }
    let loader = try data.evaluationLoader(
      dataset, tower: tower, batchSize: configuration.batchSize)
    var first = 0
    while let batch = try loader.next() {
      if StopRequest.signal != nil { return nil }
      let features = tower.features(batch.pixelTensor)
      let pairs = batch.samples.indices.flatMap { offset in
        wanted[first + offset].sorted().map { (image: offset, text: $0) }
      }
      let logits = model.matchLogits(pairs, features: features, texts: texts.tokens)
      for (pair, logit) in zip(pairs, logits) {
        let image = first + pair.image
        let score = logit + byImage[image][pair.text]
        if nearTexts[image].contains(pair.text) { imageScores[image][pair.text] = score }
        if nearImages[pair.text].contains(image) { textScores[pair.text][image] = score }
      }
      first += batch.samples.count
    }
    return RetrievalScores(
      imageToText: imageScores, textToImage: textScores, imageOfText: texts.imageOfText)
  }

  /// The places of the largest values, at most `count`.
  private static func best(_ scores: [Float], _ count: Int) -> Set<Int> {
    Set(scores.indices.sorted { scores[$0] > scores[$1] }.prefix(count))
  }

  /// The captions of the images that could be read.
  private struct HeldOutTexts {
    let tokens: [[Int32]]
    let imageOfText: [Int]

    init(_ dataset: CaptionDataset, images: [Int], tokenizer: CaptionTokenizer) {
      // A data set with a sample for each pair shows an image several times; each stands for itself
      // there, with its own caption.
      let pairs = images.enumerated().flatMap { place, sample -> [(Int, String)] in
        let captions =
          dataset.captionPolicy == .draw
          ? dataset.record(at: sample).captions
          : [dataset.sample(at: sample, seed: 0, epoch: 0).caption]
        return captions.map { (place, $0) }
      }
      imageOfText = pairs.map(\.0)
      tokens = pairs.map {
        tokenizer.tokens($0.1, maximumLength: RetrievalEvaluation.maximumTextLength)
      }
    }

    func features(_ model: StageOneModel, batchSize: Int) -> Tensor {
      let parts = stride(from: 0, to: tokens.count, by: batchSize).map { start in
        Variable(
          model.textFeatures(Array(tokens[start..<min(tokens.count, start + batchSize)])))
      }
      return Variable.concatenatedRows(parts).value
    }
  }
}
