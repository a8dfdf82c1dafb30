import Autograd
import Configuration
import Datasets
import Files
import Foundation
import LanguageModels
import Layers
import Objectives
import PublicFormats
import Reporting
import Tensors
import Tokenizers
import Training
import WeightFiles

/// A small language model, trained from scratch and written as a Hugging Face folder in float16.
///
/// The demo's language models are made so. Before each text stand others of the same image: like a
/// large language model, and unlike one that only knows single captions, it then heeds what stands
/// before a text, and can answer from it. An encoder-decoder reads the beginning of the text besides.
public struct LanguageModelRecipe: Recipe {
  public static let name = "language-model"
  public static let ownSections = ["texts"]
  public static let filesAdvice = "Name what it was trained with: --set folder=FOLDER."

  public let configuration: Configuration
  private let tokenizer: any LanguageTokenizer
  private let source: any CaptionSource
  private let images: [Image]
  private let languageModel: any LanguageModel
  private let end: Int32

  /// What can be said of an image, in tokens.
  private struct Image {
    let texts: [[Int32]]
    /// The phrases of those texts that are lists.
    let lists: [[[Int32]]]
  }

  /// - Throws: `ConfigurationError`, `DatasetError` or `TokenizerError`.
  public init(
    _ configuration: Configuration, reading parts: Set<DataPart> = Set(DataPart.allCases)
  ) throws {
    try configuration.check()
    self.configuration = configuration
    tokenizer = try KeyedError.naming("folder", path: configuration.folder) {
      try LanguageTokenizers.open(folder: configuration.folderURL)
    }
    guard let source = try configuration.texts.source("texts") else {
      throw ConfigurationError.invalidValue(
        field: "texts.path", found: "null", expected: DataSourceWords.kinds, advice: "")
    }
    self.source = source
    images = try LanguageModelRecipe.images(of: source, configuration, tokenizer)
    languageModel = LanguageModelRecipe.languageModel(configuration, tokenizer)
    languageModel.multiply(in: configuration.precision)
    end =
      languageModel.endsWithLineFeed
      ? tokenizer.encode("\n").first ?? 0 : languageModel.tokens.end
  }

  private static func images(
    of source: any CaptionSource, _ configuration: Configuration,
    _ tokenizer: any LanguageTokenizer
  ) throws -> [Image] {
    let images = try (0..<source.imageCount).map { image in
      let texts = try source.record(at: image).captions.map {
        configuration.cleanTexts ? CaptionText.cleaned($0) : $0
      }
      return Image(
        texts: texts.map(tokenizer.encode).filter { !$0.isEmpty },
        lists: texts.compactMap { list in
          guard let mark = configuration.listMark, list.hasPrefix(mark) else { return nil }
          return list.dropFirst(mark.count).split(separator: ",")
            .map { tokenizer.encode(String($0)) }.filter { !$0.isEmpty }
        })
    }.filter { !$0.texts.isEmpty }
    try require(
      !images.isEmpty, "texts.path", found: configuration.texts.path ?? "null",
      expected: "captions with words in them")
    if let mark = configuration.listMark {
      try require(
        !images.allSatisfy(\.lists.isEmpty), "listMark", found: mark,
        expected: "what some texts begin with",
        advice: "none of them does; null takes all texts for plain ones")
    }
    let longest = images.flatMap(\.texts).map(\.count).max() ?? 0
    try require(
      longest + 2 <= configuration.model.positions, "model.positions",
      found: configuration.model.positions,
      expected: "\(longest + 2) at least, for the longest text")
    return images
  }

  private static func languageModel(
    _ configuration: Configuration, _ tokenizer: any LanguageTokenizer
  ) -> any LanguageModel {
    let initialiser = ParameterInitialiser(seed: configuration.seed)
    let given = configuration.model
    switch given.family {
    case .opt:
      var sizes = OPTConfiguration()
      sizes.width = given.width
      sizes.initialDeviation = given.initialDeviation
      sizes.initialPositions = given.initialPositions
      sizes.embeddingWidth = given.width
      sizes.layers = given.layers
      sizes.heads = given.heads
      sizes.feedForwardWidth = given.feedForwardWidth
      sizes.vocabularySize = tokenizer.vocabularySize
      sizes.maximumPositions = given.positions
      sizes.tokens = LanguageModelTokens(
        start: tokenizer.startId, end: tokenizer.endId, padding: tokenizer.padId)
      return OPT(sizes, initialiser)
    case .t5:
      var sizes = T5Configuration.gated
      sizes.width = given.width
      sizes.initialDeviation = given.initialDeviation
      sizes.encoderLayers = given.layers
      sizes.decoderLayers = given.layers
      sizes.heads = given.heads
      sizes.headWidth = given.width / given.heads
      sizes.feedForwardWidth = given.feedForwardWidth
      sizes.vocabularySize = tokenizer.vocabularySize
      sizes.tokens = LanguageModelTokens(
        start: nil, end: tokenizer.endId, padding: tokenizer.padId)
      return T5(sizes, hasOutputTable: true, initialiser)
    }
  }

  // MARK: What a run is asked for

  public var model: RecipeModel { RecipeModel(bridge: languageModel) }

  public func fingerprints() throws -> [String: String] {
    let folder = configuration.folderURL
    // The weights are written there in the end.
    return [
      "data": source.fingerprint(),
      "tokenizer": try Fingerprint.ofFiles(in: folder) {
        $0 != "config.json" && $0 != "model.safetensors"
      },
    ]
  }

  public var reckoning: Reckoning {
    let sizes = configuration.model
    return Reckoning(
      configuration, model.trainedParameters,
      activations: Reckoning.activations(
        rows: configuration.training.batchSize * sizes.positions, layers: sizes.layers,
        width: sizes.width))
  }

  /// Weights are as they are made.
  public func initialise(_ progress: ProgressReporter) {}

  public func describe(_ progress: ProgressReporter) {
    let count = model.trainedParameters.reduce(0) { $0 + $1.parameter.shape.reduce(1, *) }
    let texts = images.reduce(0) { $0 + $1.texts.count }
    progress.say(
      "\(Quantity.of(texts, "text")) of \(Quantity.of(images.count, "image")), "
        + "\(Quantity.of(tokenizer.vocabularySize, "token")), \(Quantity.of(count, "parameter"))")
  }

  /// Texts are drawn by the number of the step: there is nothing to load.
  public func batches(
    from position: LoaderPosition, share: LoaderShare, _ progress: ProgressReporter
  ) -> any BatchStream {
    StepBatches(
      position: position,
      places: share.places(ofBatch: configuration.training.batchSize * share.count))
  }

  public func addGradients(
    of batch: Batch, step: Int, firstIndex: Int, weight: Float, to gradients: Gradients,
    with communicator: some Communicator
  ) -> NamedValues {
    // All draw the whole batch, which costs little, and each computes its share.
    let all = drawnTexts(
      configuration.training.batchSize * communicator.count, step: step, firstIndex: firstIndex)
    let own = batch.places.map { all[$0] }
    func count(_ texts: [DrawnText]) -> Int { texts.reduce(0) { $0 + $1.predicted.count } }
    let term = LossTerm(mean: loss(of: own), count: count(own), total: count(all))
    gradients.addBackward(from: term.mean, weight: weight * Float(term.share))
    return [("lm", Double(communicator.summed(Tensor(Float(term.value))).scalar))]
  }

  public func validate() -> ValidationReport? { nil }

  /// What is read, a row for each of these groups of tokens; and what is predicted after it.
  private typealias DrawnText = (read: [[Int32]], predicted: [Int32])

  /// The texts of a step's micro-batch.
  private func drawnTexts(_ count: Int, step: Int, firstIndex: Int) -> [DrawnText] {
    var random = RandomStream(
      Philox(seed: configuration.seed, stream: 0x4C4D_0000_0000 &+ UInt64(step)),
      site: UInt32(1 + firstIndex))
    return (0..<count).map { _ in
      let image = images[Int.random(in: images.indices, using: &random)]
      let texts = image.texts.shuffled(using: &random)
      let text = texts[0]
      let start = tokenizer.startId ?? end
      let room = configuration.model.positions - text.count
      let lists = lists(of: image, room: room, &random)
      let before = lists ?? context(texts.dropFirst(), room: room, &random).map { [$0] }
      if languageModel.hasEncoder {
        // Half of the texts are said from their first word on: so much more of what they say can only come
        // from the lists that a small model learns to read them in time.
        let isWhole = lists != nil && Bool.random(using: &random)
        let cut = isWhole ? 0 : Int.random(in: 0..<text.count, using: &random)
        return (before + (text.prefix(cut) + [end]).map { [$0] }, text.dropFirst(cut) + [end])
      }
      if lists != nil { return (before + [[start]], text + [end]) }
      // All of it is predicted: each text of the context from those before it.
      let whole = before.joined() + [start] + text + [end]
      return ([[whole[0]]], Array(whole.dropFirst()))
    }
  }

  /// The mean loss over all tokens that are predicted.
  private func loss(of pairs: [DrawnText]) -> Variable {
    let groups = pairs.flatMap(\.read)
    let embeddings = languageModel.embeddings(of: groups.flatMap { $0 })
    let read = PackedRows(
      groups.allSatisfy { $0.count == 1 }
        ? embeddings : Self.sums(of: embeddings, by: groups),
      lengths: pairs.map(\.read.count))
    return languageModel.loss(of: pairs.map(\.predicted), after: read)
  }

  /// A sum of rows for each group of tokens.
  static func sums(of rows: Variable, by groups: [[Int32]]) -> Variable {
    let count = rows.value.rowCount
    var belongs = [Float](repeating: 0, count: groups.count * count)
    var next = 0
    for (number, group) in groups.enumerated() {
      for place in next..<next + group.count { belongs[number * count + place] = 1 }
      next += group.count
    }
    return Variable(Tensor(belongs, shape: [groups.count, count])).product(rows)
  }

  /// Some of an image's lists, phrase by phrase; nil where there are none, and for half of the texts of a
  /// model without an encoder. An encoder-decoder reads lists alone: it has no loss on what it reads, and
  /// beside other texts so small a one learns to read neither.
  private func lists(
    of image: Image, room: Int, _ random: inout RandomStream
  ) -> [[Int32]]? {
    let most = min(max(configuration.contextTexts, 1), image.lists.count)
    guard most > 0, languageModel.hasEncoder || Bool.random(using: &random) else { return nil }
    let count = Int.random(in: 1...most, using: &random)
    return Array(image.lists.shuffled(using: &random).prefix(count).joined().prefix(room - 2))
  }

  /// Some of an image's other texts, where a soft prompt will stand; one time in ten there are none.
  private func context(
    _ others: ArraySlice<[Int32]>, room: Int, _ random: inout RandomStream
  ) -> [Int32] {
    let most = min(configuration.contextTexts, others.count)
    guard most > 0, Int.random(in: 0..<10, using: &random) > 0 else { return [] }
    let count = Int.random(in: 1...most, using: &random)
    return Array(others.prefix(count).joined().prefix(room - 2))
  }

  /// Writes `config.json` and `model.safetensors`.
  public func finish(_ progress: ProgressReporter) throws {
    try languageModel.write(
      to: configuration.folderURL, precision: .float16, settings: ["torch_dtype": "float16"])
    progress.say("wrote the model to \(configuration.folder)")
  }
}

/// Batches without samples, for what draws its own by the number of the step.
private final class StepBatches: BatchStream {
  private var position: LoaderPosition
  /// Which of a step's texts this process has.
  private let places: [Int]

  init(position: LoaderPosition, places: [Int]) {
    (self.position, self.places) = (position, places)
  }

  func next() -> Batch? {
    position.position += 1
    return Batch(
      samples: [], places: places, content: .zeros([0]), positionAfter: position, skipped: [])
  }

  func stop() {}
}
