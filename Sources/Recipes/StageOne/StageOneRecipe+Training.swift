import Autograd
import BLIP2
import Datasets
import Foundation
import LanguageModels
import Layers
import Objectives
import Reporting
import Tensors
import Training

extension StageOneRecipe {
  public var captionEncoder: @Sendable (String) -> [Int32] {
    let tokenizer = tokenizer
    return { tokenizer.tokens($0) }
  }

  public func describeTexts(_ progress: ProgressReporter) {
    guard let count = data.validation?.imageCount, count < HeldOutSet.leastCandidates else {
      return
    }
    progress.say(
      "warning: data.validation.path has \(Quantity.of(count, "image")): among so few R@10 is high "
        + "whatever was learnt, and the best checkpoint is chosen by the mean of all recalls; "
        + "\(HeldOutSet.leastCandidates) or more tell more")
  }

  public func addGradients(
    of batch: Batch, step: Int, firstIndex: Int, weight: Float, to gradients: Gradients,
    with communicator: some Communicator
  ) throws -> NamedValues {
    let pass = StageOneBatch(
      features: tower.features(batch),
      texts: batch.samples.map(\.tokens),
      imageIds: batch.samples.map(\.imageId),
      indices: batch.places.map { firstIndex + $0 })
    let losses = try qFormer.addGradients(
      of: pass, inChunksOf: configuration.training.chunkSize,
      negatives: .drawn(StageOneRecipe.negatives(configuration.seed, step: step)),
      in: GradientStep(
        randomness: TrainingRandomness(
          rate: configuration.model.qFormer.dropout, seed: configuration.seed, step: step),
        communicator: communicator, weight: weight, to: gradients)
    ) {
      // Shares of one size have as many chunks, and ask as often.
      try communicator.checkStop()
    }
    return StageOneRecipe.terms(losses)
  }

  /// The draws of the hard negatives of a step.
  private static func negatives(_ seed: UInt64, step: Int) -> Philox {
    Philox(seed: seed, stream: 0x4E45_0000_0000 &+ UInt64(step))
  }

  static func terms(_ losses: StageOneModel.LossValues) -> NamedValues {
    [("itc", losses.contrast), ("itm", losses.matching), ("itg", losses.generation)].compactMap {
      name, loss in loss.map { (name, Double($0)) }
    }
  }

  public func validate() throws -> ValidationReport? {
    guard let dataset = data.validation else { return nil }
    let start = ContinuousClock.now
    let losses = try heldOutLosses(dataset)
    let result = try retrieval.run(on: dataset)
    let images = try sampleImages(
      of: dataset, caption: configuration.model.objectives.generation ? captions : nil)
    let seconds = Int((ContinuousClock.now - start).inSeconds)
    let lossText = losses.map { String(format: "\($0.name) %.4f", $0.value) }
    return ValidationReport(
      values: losses + result.values,
      lines: [
        "validation (\(seconds) s)  "
          + (losses.isEmpty
            ? "no losses: a single pair has nothing to be compared with"
            : lossText.joined(separator: "  "))
      ]
        + result.table.split(separator: "\n").map { "  " + $0 }
        + images.map { "  " + $0.line },
      images: images,
      score: (result.reranked ?? result.cosine).mean,
      scoreName: "the mean of all recalls")
  }

  /// Retrieval as the configuration asks for it.
  var retrieval: RetrievalEvaluation {
    RetrievalEvaluation(
      model: qFormer, tower: tower, data: data, tokenizer: tokenizer,
      configuration: configuration.validation)
  }

  /// Captions of images for people to look at.
  private func captions(_ features: Variable) throws -> [String] {
    // Unlike the original's captions of at least 8 words these may be as short as the data's.
    let captioner = Captioner(
      qFormer,
      options: .init(
        beams: 3, minimumLength: 2, maximumLength: min(30, configuration.data.maximumTextLength)))
    do {
      return try captioner.captions(features).map {
        tokenizer.tokenizer.decode($0, skippingSpecialTokens: true)
      }
    } catch GenerationError.unusableLogits {
      // Numbers that went astray are no reason to end the run; its losses show it.
      return Array(repeating: "", count: features.shape[0])
    }
  }

  /// The losses on held-out pairs, without dropout, weighted by the pairs of each batch. Negatives
  /// are the same at every validation.
  private func heldOutLosses(_ dataset: any CaptionSource) throws -> NamedValues {
    var sums: NamedValues = []
    var count = 0.0
    let loader = try data.evaluationLoader(
      dataset, tower: tower, encode: captionEncoder,
      batchSize: configuration.validation.batchSize)
    let generator = StageOneRecipe.negatives(configuration.seed, step: 0)
    while let batch = try loader.next() {
      try StopRequest.check()
      // One pair alone has nothing to be compared with.
      if batch.samples.count < 2 { continue }
      let losses = withoutGradients {
        qFormer.losses(
          StageOneBatch(
            features: tower.features(batch),
            texts: batch.samples.map(\.tokens),
            imageIds: batch.samples.map(\.imageId)), negatives: .drawn(generator))
      }
      let weight = Double(batch.samples.count)
      sums.add(StageOneRecipe.terms(.init(losses)), times: weight)
      count += weight
    }
    return sums.map { ($0.name, $0.value / max(1, count)) }
  }
}
