import Autograd
import BLIP2
import Configuration
import Datasets
import Foundation
import LanguageModels
import Layers
import Objectives
import Reporting
import Tensors
import Training

extension StageTwoRecipe {
  public var captionEncoder: @Sendable (String) -> [Int32] {
    let texts = texts
    return { texts.encode($0) }
  }

  public func addGradients(
    of batch: Batch, step: Int, firstIndex: Int, weight: Float, to gradients: Gradients,
    with communicator: some Communicator
  ) -> NamedValues {
    let indices = batch.places.map { firstIndex + $0 }
    let loss = qFormer.addGradients(
      of: tower.features(batch),
      texts: conditioned(
        batch, indices, splits: StageTwoRecipe.splits(configuration.seed, step: step)),
      indices: indices, languageModel: languageModel.model,
      in: GradientStep(
        randomness: TrainingRandomness(
          rate: configuration.model.qFormer.dropout, seed: configuration.seed, step: step),
        communicator: communicator, weight: weight, to: gradients))
    return [("lm", Double(loss))]
  }

  /// The batch's captions as the language model is trained on them.
  private func conditioned(
    _ batch: Batch, _ indices: [Int], splits: Philox
  ) -> [ConditionedText] {
    zip(batch.samples, indices).map { sample, index in
      var random = RandomStream(splits, site: 0x5350_4C54, sample: UInt32(index))
      return texts.text(sample.tokens, using: &random)
    }
  }

  /// The draws of the places where captions are cut in a step.
  private static func splits(_ seed: UInt64, step: Int) -> Philox {
    Philox(seed: seed, stream: 0x5052_0000_0000 &+ UInt64(step))
  }

  /// Refuses texts and prompts that the language model has no positions for.
  func checkRoom() throws {
    try checkPrompt(texts.beginning(nil).count, field: "model.objective.prompt")
    guard let room = languageModel.model.maximumLength else { return }
    let training = qFormer.queryCount + configuration.data.maximumTextLength
    try require(
      training <= room, "data.maximumTextLength", found: configuration.data.maximumTextLength,
      expected: "at most \(max(0, room - qFormer.queryCount))",
      advice: "the language model has \(room) positions, and \(qFormer.queryCount) queries stand "
        + "before the text")
    try checkRoom(
      prompt: texts.beginning(nil).count, new: configuration.validation.generation.maximumNewTokens,
      field: "validation.generation.maximumNewTokens")
  }

  /// The most tokens of a prompt for a language model that has no table of positions to bound it (T5
  /// learned from 512): memory and time grow with their square.
  static let longestPrompt = 2048

  /// - Throws: `ConfigurationError.invalidValue`.
  func checkPrompt(_ tokens: Int, field: String) throws {
    try require(
      languageModel.model.maximumLength != nil || tokens <= Self.longestPrompt, field,
      found: "\(tokens) tokens", expected: "at most \(Self.longestPrompt) tokens",
      advice: "shorten the prompt")
  }

  /// - Parameters:
  ///   - prompt: Tokens of the prompt.
  ///   - new: New tokens at most.
  ///   - field: The key or option that sets `new`.
  /// - Throws: `ConfigurationError.invalidValue`.
  func checkRoom(prompt: Int, new: Int, field: String) throws {
    guard let room = languageModel.model.maximumLength else { return }
    let left = room - qFormer.queryCount - prompt
    try require(
      new <= left, field, found: new, expected: "at most \(max(0, left))",
      advice: "the language model has \(room) positions: \(qFormer.queryCount) queries, \(prompt) "
        + "tokens of the prompt and the new ones must fit; a shorter prompt helps")
  }

  // MARK: Validation

  public func validate() throws -> ValidationReport? {
    guard let dataset = data.validation else { return nil }
    let start = ContinuousClock.now
    let loss = try heldOutLoss(dataset)
    let judged = try judgedCaptions(of: dataset, atMost: configuration.validation.captions)
    let images = try sampleImages(of: dataset, caption: captions)
    let seconds = Int((ContinuousClock.now - start).inSeconds)
    var values: NamedValues = [("lm", loss)]
    var lines = ["validation (\(seconds) s)  " + String(format: "lm %.4f", loss)]
    if let scores = judged.scores {
      values += scores.logged
      let empty = judged.empty > 0 ? ", \(judged.empty) of them empty" : ""
      lines.append("  \(Quantity.of(judged.count, "caption"))\(empty): \(scores.line)")
    }
    lines += images.map { "  " + $0.line }
    return ValidationReport(
      values: values, lines: lines, images: images,
      score: judged.scores?.cider ?? (loss.isFinite ? -loss : -.infinity),
      scoreName: judged.scores == nil ? "the held-out loss" : "CIDEr")
  }

  /// CIDEr in percent, or, where nothing is captioned, the loss, which is the score with its sign turned.
  public static func text(ofScore score: Double) -> String {
    score < 0 ? String(format: "%.4g", -score) : ScoreTable.percent(score)
  }

  /// The mean loss on held-out images, without dropout, weighted by the images of each batch;
  /// captions are cut at the same places at every validation. Not a number where none can be read.
  private func heldOutLoss(_ dataset: any CaptionSource) throws -> Double {
    var (sum, count) = (0.0, 0.0)
    let loader = try data.evaluationLoader(
      dataset, tower: tower, encode: captionEncoder,
      batchSize: configuration.validation.batchSize)
    let splits = StageTwoRecipe.splits(configuration.seed, step: 0)
    while let batch = try loader.next() {
      try StopRequest.check()
      if batch.samples.isEmpty { continue }
      let loss = withoutGradients {
        let indices = batch.samples.indices.map { Int(count) + $0 }
        return qFormer.loss(
          tower.features(batch), texts: conditioned(batch, indices, splits: splits),
          languageModel: languageModel.model, indices: indices
        ).value.scalar
      }
      sum += Double(loss) * Double(batch.samples.count)
      count += Double(batch.samples.count)
    }
    return count > 0 ? sum / count : .nan
  }
}
