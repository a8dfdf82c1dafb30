import Autograd
import BLIP2
import Datasets
import Metrics
import Reporting
import Tensors
import Training

/// Retrieval on held-out images and all their captions: by cosine alone, and with the nearest ranked
/// again by ITM.
struct RetrievalEvaluation {
  let model: StageOneModel
  let tower: VisionTower
  let data: RunData
  let tokenizer: CaptionTokenizer
  let configuration: ValidationConfiguration

  /// Of each text for each image, `[images, texts]`, and of each image for each text.
  typealias Scores = (byImage: [[Float]], byText: [[Float]])

  struct Result {
    var set: HeldOutSet
    /// All cosines, and the scores of what ITM ranked again, for the rankings that are seldom asked for.
    var cosines: Scores
    var scores: Scores?
    var cosine: RetrievalScores
    /// Nil without re-ranking.
    var reranked: RetrievalScores?
    /// Whether every cosine is a number; rankings of others mean nothing.
    var isFinite: Bool
  }

  /// Texts are cut at 35 tokens here, as the original does, or at what the model takes.
  private var maximumTextLength: Int {
    min(35, model.configuration.qFormer.maximumPositions)
  }

  /// - Parameter dataset: A sample for each image.
  /// - Throws: ``Interrupted``, and the errors of the files that are read.
  func run(on dataset: any CaptionSource) throws -> Result {
    var set = HeldOutSet()
    var rows: [Variable] = []
    let progress = WorkProgress(dataset.imageCount, "images")
    defer { progress.finish() }
    let loader = try data.evaluationLoader(
      dataset, tower: tower, batchSize: configuration.batchSize)
    while let batch = try loader.next() {
      try StopRequest.check()
      progress.advance(to: set.images.count)
      set.skipped += batch.skipped
      rows.append(Variable(model.imageFeatures(tower.features(batch))))
      for sample in batch.samples {
        set.add(sample, try dataset.record(at: sample.image)) {
          tokenizer.tokens($0, maximumLength: maximumTextLength)
        }
      }
    }
    set.skipped += loader.skipped
    let cosines = cosines(rows, texts: textFeatures(set.tokens))
    let byImage = cosines.rowValues
    let byText = cosines.transposed().rowValues
    var again: Scores?
    if configuration.rerank > 0, model.configuration.objectives.matching {
      again = try rerank(byImage, byText, set, dataset)
    }
    return Result(
      set: set, cosines: (byImage, byText), scores: again,
      cosine: set.scores((byImage, byText)), reranked: again.map(set.scores),
      isFinite: !cosines.hasNonFinite)
  }

  private func textFeatures(_ tokens: [[Int32]]) -> Tensor {
    let size = configuration.batchSize
    let progress = WorkProgress(tokens.count, "texts")
    defer { progress.finish() }
    let parts = stride(from: 0, to: tokens.count, by: size).map { start in
      let end = min(tokens.count, start + size)
      defer { progress.advance(to: end) }
      return Variable(model.textFeatures(Array(tokens[start..<end])))
    }
    return Variable.concatenatedRows(parts).value
  }

  /// `[images, texts]`, a batch of images at a time: the products of all queries with all texts are
  /// `queries` times as large.
  private func cosines(_ images: [Variable], texts: Tensor) -> Tensor {
    Variable.concatenatedRows(
      images.map { Variable(model.cosines(images: $0.value, texts: texts)) }
    ).value
  }

  /// The first `rerank` of each row score match logit + cosine, all others −100. The pairs of both
  /// directions are judged image by image, each once; the images are read a second time, since the
  /// features of a large set do not fit in memory.
  private func rerank(
    _ byImage: [[Float]], _ byText: [[Float]], _ set: HeldOutSet, _ dataset: any CaptionSource
  ) throws -> Scores {
    let nearTexts = byImage.map { RetrievalEvaluation.best($0, configuration.rerank) }
    let nearImages = byText.map { RetrievalEvaluation.best($0, configuration.rerank) }
    var wanted = nearTexts
    for (text, images) in nearImages.enumerated() {
      for image in images { wanted[image].insert(text) }
    }
    var imageScores = byImage.map { [Float](repeating: -100, count: $0.count) }
    var textScores = byText.map { [Float](repeating: -100, count: $0.count) }
    let progress = WorkProgress(set.images.count, "images re-ranked")
    defer { progress.finish() }
    let loader = try data.evaluationLoader(
      dataset, tower: tower, batchSize: configuration.batchSize)
    while let batch = try loader.next() {
      try StopRequest.check()
      // By its number in the data set, since a file may become unreadable between the two readings.
      let places = batch.samples.map { set.placeOfSample[$0.index] }
      let pairs = places.enumerated().flatMap { offset, place in
        place.map { wanted[$0].sorted().map { (image: offset, text: $0) } } ?? []
      }
      let logits = model.matchLogits(
        pairs, features: tower.features(batch), texts: set.tokens)
      for (pair, logit) in zip(pairs, logits) {
        guard let image = places[pair.image] else { continue }
        let score = logit + byImage[image][pair.text]
        if nearTexts[image].contains(pair.text) { imageScores[image][pair.text] = score }
        if nearImages[pair.text].contains(image) { textScores[pair.text][image] = score }
      }
      progress.advance(to: (places.compactMap { $0 }.max() ?? -1) + 1)
    }
    return (imageScores, textScores)
  }

  /// The places of the largest values, at most `count`.
  private static func best(_ scores: [Float], _ count: Int) -> Set<Int> {
    Set(scores.indices.sorted { scores[$0] > scores[$1] }.prefix(count))
  }
}

/// The held-out images that could be read, and all their captions.
struct HeldOutSet {
  var images: [(path: String, id: Int64)] = []
  /// Where an image of the data set stands here.
  var placeOfSample: [Int: Int] = [:]
  var tokens: [[Int32]] = []
  /// Each text with the id of the image that it belongs to.
  var texts: [(text: String, imageId: Int64)] = []
  var skipped: [SkippedSample] = []

  /// Among fewer candidates R@10 says little.
  static let leastCandidates = 20

  mutating func add(
    _ sample: CaptionSample, _ record: CaptionRecord, tokenize: (String) -> [Int32]
  ) {
    placeOfSample[sample.index] = images.count
    images.append((record.imagePath, sample.imageId))
    tokens += record.captions.map(tokenize)
    texts += record.captions.map { ($0, sample.imageId) }
  }

  func scores(_ scores: RetrievalEvaluation.Scores) -> RetrievalScores {
    RetrievalScores(
      imageToText: scores.byImage, textToImage: scores.byText, imageIds: images.map(\.id),
      textIds: texts.map(\.imageId))
  }

  /// What a ranking by chance would score.
  var chance: RetrievalScores {
    .chance(imageIds: images.map(\.id), textIds: texts.map(\.imageId))
  }
}

extension Tensor {
  fileprivate var rowValues: [[Float]] {
    (0..<rowCount).map { rows($0..<$0 + 1).values }
  }
}
