import Autograd
import Foundation
import LanguageModels
import Layers
import PublicFormats
import Tensors
import TestSupport
import Testing
import VisionEncoders

@testable import BLIP2

/// The whole chain of stage 2, from pixels through the language model, against transformers.
@Suite struct StageTwoParityTests {
  @Test(arguments: ["blip2-opt", "blip2-t5"])
  func goldensArePresent(_ name: String) {
    #expect(
      BLIP2Golden.all.contains { $0.description.hasPrefix(name) },
      "no \(name)*/golden.safetensors in \(Goldens.folder.path)")
  }

  @Test(arguments: BLIP2Golden.all)
  func lossAndAllGradients(_ golden: BLIP2Golden) throws {
    let values = try golden.golden()
    let chain = try Chain(golden)
    let features = chain.encoder.features(
      try values.tensor("inputs/pixel_values"), output: VisionOutput(appliesFinalNorm: false))
    // The library counts the trained norm to the image encoder.
    let rows = features.value.reshaped([features.value.rowCount, features.value.width])
    #expect(
      difference(
        chain.model.visionNorm(Variable(rows)).value,
        try values.tensor("outputs/vision_last_hidden"), relative: 1e-4) == nil)
    let queries = chain.model.queryOutputs(features)
    #expect(
      difference(queries.value, try values.tensor("outputs/query_output"), relative: 1e-4) == nil)

    let texts = try chain.texts()
    let prompts = chain.model.softPrompts(features)
    let input = chain.languageModel.input(prompts, prefixes: texts.map(\.prefix))
    let targets = texts.map(\.target)
    let logits = chain.languageModel.logits(
      chain.languageModel.states(predicting: targets, after: input)
    ).value
    let all = try values.tensor("outputs/logits")
    #expect(
      difference(logits, all.gatheredRows(try chain.predictingPlaces()), relative: 1e-4) == nil)

    let loss = chain.model.loss(features, texts: texts, languageModel: chain.languageModel)
    #expect(difference(loss.value, try values.tensor("outputs/loss"), relative: 1e-5) == nil)
    let gradients = Gradients()
    gradients.addBackward(from: loss)
    var compared = 0
    for entry in chain.model.namedParameters {
      let expected = try values.tensor(
        "gradients/" + PublicFormat.huggingFaceStageTwo.publicName(of: entry.name))
      let gradient = try #require(entry.parameter.gradient(in: gradients), "\(entry.name)")
      #expect(difference(gradient, expected, relative: 1e-4) == nil, "\(entry.name)")
      compared += 1
    }
    #expect(compared == values.names(under: "gradients/").count)
  }

  /// Greedy, beams and penalties from an image and the first tokens of a prompt.
  @Test(arguments: BLIP2Golden.all)
  func generation(_ golden: BLIP2Golden) throws {
    let values = try golden.golden()
    let chain = try Chain(golden)
    let pixels = try values.tensor("inputs/pixel_values")
    let side = pixels.shape
    let first = pixels.reshaped([side[0], pixels.count / side[0]]).rows(0..<1)
      .reshaped([1] + side.dropFirst())
    let prompt = Array(try golden.prompts()[0].prefix(3))
    let prompts = chain.model.softPrompts(
      chain.encoder.features(first, output: VisionOutput(appliesFinalNorm: false)))
    let input = chain.languageModel.input(prompts, prefixes: [prompt])
    let names = values.names(under: "outputs/generate_")
    #expect(!names.isEmpty)
    for name in names {
      let expected = try values.rows(name)[0]
      let images = Array(repeating: try golden.imageToken(), count: chain.model.queryCount)
      // What the library hands back, and counts for the penalty, before the first new token.
      let before = chain.languageModel.hasEncoder ? [0] : images + prompt
      var options = GenerationOptions(endIds: [chain.languageModel.tokens.end])
      options.read(String(name.dropFirst("outputs/generate_".count)))
      options.maximumNewTokens = expected.count - before.count
      let result = try TextGenerator(options).sequences(
        chain.languageModel.decodingSession(after: input), priorTokens: [before])
      var wanted = Array(expected.dropFirst(before.count))
      if let end = wanted.firstIndex(of: chain.languageModel.tokens.end) {
        wanted = Array(wanted[...end])
      }
      #expect(result[0][0].tokens == wanted, "\(name)")
    }
  }
}

/// Encoder, Q-Former and language model of a golden.
private struct Chain {
  let golden: BLIP2Golden
  let encoder: any VisionEncoder
  let languageModel: any LanguageModel
  let model: StageTwoModel

  init(_ golden: BLIP2Golden) throws {
    self.golden = golden
    encoder = try golden.encoder()
    encoder.freeze()
    languageModel = try golden.languageModel()
    model = try golden.model(
      embeddingWidth: languageModel.embeddingWidth, visionWidth: encoder.width)
  }

  /// A decoder predicts its whole prompt; an encoder-decoder reads it and predicts the labels.
  func texts() throws -> [ConditionedText] {
    let prompts = try golden.prompts()
    guard languageModel.hasEncoder else {
      return prompts.map { ConditionedText(prefix: [], target: $0) }
    }
    let labels = try golden.golden().rows("inputs/labels")
    return zip(prompts, labels).map { prompt, labels in
      ConditionedText(prefix: prompt, target: labels.filter { $0 >= 0 })
    }
  }

  /// The rows of the golden's logits from which a label is predicted.
  func predictingPlaces() throws -> [Int32] {
    let labels = try golden.golden().rows("inputs/labels")
    let width = labels.first?.count ?? 0
    let shift = languageModel.hasEncoder ? 0 : 1
    return labels.enumerated().flatMap { row, labels in
      labels.indices.filter { labels[$0] >= 0 }.map { Int32(row * width + $0 - shift) }
    }
  }
}
