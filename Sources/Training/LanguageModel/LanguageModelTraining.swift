import Autograd
import Configuration
import Datasets
import Foundation
import LanguageModels
import Layers
import Tensors
import Tokenizers
import WeightFiles

/// How a small language model is trained from scratch on texts: the keys of its YAML file.
public struct LanguageModelTrainingConfiguration: Codable, Equatable, Sendable {
  @Key(1...ConfigurationLoader.recipeVersion, "The version of the recipe's keys.")
  public var version = ConfigurationLoader.recipeVersion
  public enum Family: String, Codable, CaseIterable, Sendable {
    case opt, t5
  }

  @Key("What is trained: a decoder (OPT) or an encoder-decoder (T5).")
  public var family = Family.opt
  @Key("The folder that the model is written to; the tokenizer's files lie there already.")
  public var output = ""
  @Key("Lists of texts of pictures, as for stage 1; the pictures themselves are not read.")
  public var texts = DataSourceConfiguration()
  @Key("Lower-cases texts and clears punctuation as stage 1 and stage 2 do to captions.")
  public var cleanTexts = true
  @Key("Decides every random draw.")
  public var seed: UInt64 = 42
  @Key("The precision of the linear maps' products.")
  public var precision = ProductPrecision.float32
  @Key(8...4096, "The width of the blocks.")
  public var width = 160
  @Key(1...64, "Blocks; of an encoder-decoder, in each half.")
  public var layers = 5
  @Key(1...64, "Attention heads; a divisor of the width.")
  public var heads = 5
  @Key(8...16_384, "The inner width of the feed-forward blocks.")
  public var feedForwardWidth = 640
  @Key(0...100, "The standard deviation of new weights.")
  public var initialDeviation: Float = 0.02
  @Key("What a decoder's table of positions starts as.")
  public var initialPositions = PositionStart.normal
  @Key(0...64, "Other texts of the same picture that stand before a text, at most.")
  public var contextTexts = 3
  @Key(
    "What the texts begin with that are lists, as in \"Seen: left dog, right key\": texts, half "
      + "of them for a model without an encoder, are read after lists given as soft prompts are, a "
      + "vector for each phrase between commas, the sum of its words' embeddings. null: none.")
  public var listMark: String? = nil
  @Key(64...2048, "The positions of a decoder.")
  public var positions = 128
  @Key(1...4096, "Texts in a step.")
  public var batchSize = 32
  @Key(1...10_000_000, "Optimiser steps.")
  public var steps = 1000
  @Key("Linear warm-up, then a cosine, step by step.")
  public var learningRate = LearningRateSchedule()
  @Key("How AdamW moves.")
  public var adamW = AdamWConfiguration()

  public init() {}

  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws {
    try KeyCheck.check(self, like: Self())
    if initialPositions == .sineCosine && width % 2 != 0 {
      throw ConfigurationError.invalidValue(
        field: "width", found: String(width),
        expected: "a multiple of 2 where initialPositions is sineCosine", advice: "")
    }
    if width % heads != 0 {
      throw ConfigurationError.invalidValue(
        field: "heads", found: String(heads), expected: "a divisor of the width \(width)",
        advice: "")
    }
  }
}

/// Trains a small language model from scratch and writes it as a Hugging Face folder in float16.
///
/// The demo's language models are made so. Before each text stand others of the same picture: like a
/// large language model, and unlike one that only knows single captions, it then heeds what stands
/// before a text, and can answer from it. An encoder-decoder reads the beginning of the text besides.
public struct LanguageModelTraining {
  private let configuration: LanguageModelTrainingConfiguration
  private let tokenizer: any LanguageTokenizer
  private let pictures: [Picture]
  private let model: any LanguageModel
  private let end: Int32

  /// What can be said of a picture, in tokens.
  private struct Picture {
    let texts: [[Int32]]
    /// The phrases of those texts that are lists.
    let lists: [[[Int32]]]
  }

  /// - Throws: `ConfigurationError`, `DatasetError` or `TokenizerError`.
  public init(_ configuration: LanguageModelTrainingConfiguration) throws {
    try configuration.check()
    self.configuration = configuration
    let folder = URL(fileURLWithPath: configuration.output, isDirectory: true)
    let tokenizer = try LanguageTokenizers.open(folder: folder)
    self.tokenizer = tokenizer
    guard let source = try configuration.texts.source() else {
      throw ConfigurationError.invalidValue(
        field: "texts.path", found: "null", expected: DataSourceWords.kinds, advice: "")
    }
    pictures = try (0..<source.imageCount).map {
      let texts = try source.record(at: $0).captions.map {
        configuration.cleanTexts ? CaptionText.cleaned($0) : $0
      }
      return Picture(
        texts: texts.map(tokenizer.encode).filter { !$0.isEmpty },
        lists: texts.compactMap { list in
          guard let mark = configuration.listMark, list.hasPrefix(mark) else { return nil }
          return list.dropFirst(mark.count).split(separator: ",")
            .map { tokenizer.encode(String($0)) }.filter { !$0.isEmpty }
        })
    }.filter { !$0.texts.isEmpty }
    guard !pictures.isEmpty else {
      throw ConfigurationError.invalidValue(
        field: "texts.path", found: configuration.texts.path ?? "null",
        expected: "captions with words in them", advice: "")
    }
    let longest = pictures.flatMap(\.texts).map(\.count).max() ?? 0
    guard longest + 2 <= configuration.positions else {
      throw ConfigurationError.invalidValue(
        field: "positions", found: String(configuration.positions),
        expected: "\(longest + 2) at least, for the longest text", advice: "")
    }
    model = LanguageModelTraining.model(configuration, tokenizer)
    end = model.textEnd == .lineFeed ? tokenizer.encode("\n").first ?? 0 : model.tokens.end
  }

  private static func model(
    _ configuration: LanguageModelTrainingConfiguration, _ tokenizer: any LanguageTokenizer
  ) -> any LanguageModel {
    let initialiser = ParameterInitialiser(seed: configuration.seed)
    switch configuration.family {
    case .opt:
      var sizes = OPTConfiguration()
      sizes.width = configuration.width
      sizes.initialDeviation = configuration.initialDeviation
      sizes.initialPositions = configuration.initialPositions
      sizes.embeddingWidth = configuration.width
      sizes.layers = configuration.layers
      sizes.heads = configuration.heads
      sizes.feedForwardWidth = configuration.feedForwardWidth
      sizes.vocabularySize = tokenizer.vocabularySize
      sizes.maximumPositions = configuration.positions
      sizes.tokens = LanguageModelTokens(
        start: tokenizer.startId, end: tokenizer.endId, padding: tokenizer.padId)
      return OPT(sizes, initialiser)
    case .t5:
      var sizes = T5Configuration.gated
      sizes.width = configuration.width
      sizes.initialDeviation = configuration.initialDeviation
      sizes.encoderLayers = configuration.layers
      sizes.decoderLayers = configuration.layers
      sizes.heads = configuration.heads
      sizes.headWidth = configuration.width / configuration.heads
      sizes.feedForwardWidth = configuration.feedForwardWidth
      sizes.vocabularySize = tokenizer.vocabularySize
      sizes.tokens = LanguageModelTokens(
        start: nil, end: tokenizer.endId, padding: tokenizer.padId)
      return T5(sizes, hasOutputTable: true, initialiser)
    }
  }

  /// Trains and writes `config.json` and `model.safetensors`.
  /// - Returns: False if the run was asked to stop, in which case nothing is written.
  public func run(report: (String) -> Void) throws -> Bool {
    model.multiply(in: configuration.precision)
    let parameters = model.namedParameters
    let count = parameters.reduce(0) { $0 + $1.parameter.shape.reduce(1, *) }
    report(
      "\(pictures.reduce(0) { $0 + $1.texts.count }) texts of \(pictures.count) pictures, "
        + "\(tokenizer.vocabularySize) tokens, \(count) parameters")
    let optimizer = AdamW(configuration.adamW, parameters: parameters)
    var (sum, steps) = (0.0, 0)
    for step in 0..<configuration.steps {
      if StopRequest.signal != nil { return false }
      let loss = loss(step: step)
      let gradients = Gradients()
      gradients.addBackward(from: loss)
      let norm = GradientNorm.global(gradients, of: parameters.map(\.parameter))
      guard norm.isFinite else {
        throw RunError.notFiniteResult(what: "the gradients of step \(step + 1) are", culprit: nil)
      }
      optimizer.update(
        gradients,
        rate: configuration.learningRate.rate(step: step, of: configuration.steps),
        gradientScale: GradientNorm.clippingFactor(norm: norm, limit: 1))
      sum += Double(loss.value.scalar)
      steps += 1
      if (step + 1) % 50 == 0 {
        report(
          String(
            format: "step %d/%d  lm %.4f", step + 1, configuration.steps, sum / Double(steps)))
        (sum, steps) = (0, 0)
      }
    }
    try write(parameters)
    return true
  }

  private func loss(step: Int) -> Variable {
    var random = RandomStream(
      Philox(seed: configuration.seed, stream: 0x4C4D_0000_0000 &+ UInt64(step)), site: 1)
    // What is read, a row for each of these groups of tokens; and what is predicted after it.
    let pairs: [(read: [[Int32]], predicted: [Int32])] = (0..<configuration.batchSize).map { _ in
      let picture = pictures[Int.random(in: pictures.indices, using: &random)]
      let texts = picture.texts.shuffled(using: &random)
      let text = texts[0]
      let start = tokenizer.startId ?? end
      let room = configuration.positions - text.count
      let lists = lists(of: picture, room: room, &random)
      let before = lists ?? context(texts.dropFirst(), room: room, &random).map { [$0] }
      if model.hasEncoder {
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
    let groups = pairs.flatMap(\.read)
    let embeddings = model.embeddings(of: groups.flatMap { $0 })
    let read = PackedRows(
      groups.allSatisfy { $0.count == 1 }
        ? embeddings : Self.sums(of: embeddings, by: groups),
      lengths: pairs.map(\.read.count))
    return model.loss(of: pairs.map(\.predicted), after: read)
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

  /// Some of a picture's lists, phrase by phrase; nil where there are none, and for half of the texts of a
  /// model without an encoder. An encoder-decoder reads lists alone: it has no loss on what it reads, and
  /// beside other texts so small a one learns to read neither.
  private func lists(
    of picture: Picture, room: Int, _ random: inout RandomStream
  ) -> [[Int32]]? {
    let most = min(max(configuration.contextTexts, 1), picture.lists.count)
    guard most > 0, model.hasEncoder || Bool.random(using: &random) else { return nil }
    let count = Int.random(in: 1...most, using: &random)
    return Array(picture.lists.shuffled(using: &random).prefix(count).joined().prefix(room - 2))
  }

  /// Some of a picture's other texts, where a soft prompt will stand; one time in ten there are none.
  private func context(
    _ others: ArraySlice<[Int32]>, room: Int, _ random: inout RandomStream
  ) -> [Int32] {
    let most = min(configuration.contextTexts, others.count)
    guard most > 0, Int.random(in: 0..<10, using: &random) > 0 else { return [] }
    let count = Int.random(in: 1...most, using: &random)
    return Array(others.prefix(count).joined().prefix(room - 2))
  }

  private func write(_ parameters: [NamedParameter]) throws {
    let folder = URL(fileURLWithPath: configuration.output, isDirectory: true)
    var tensors: [String: SafetensorsWriter.Tensor] = [:]
    for entry in parameters {
      tensors[model.publicName(of: entry.name)] = .init(
        shape: entry.parameter.shape, values: entry.parameter.value.values, precision: .float16)
    }
    try SafetensorsWriter.write(
      tensors, metadata: ["format": "pt"], to: folder.appendingPathComponent("model.safetensors"))
    var settings = model.publicConfiguration
    settings["torch_dtype"] = "float16"
    let data = try JSONSerialization.data(
      withJSONObject: settings, options: [.prettyPrinted, .sortedKeys])
    try (data + Data("\n".utf8)).write(
      to: folder.appendingPathComponent("config.json"), options: .atomic)
  }
}
