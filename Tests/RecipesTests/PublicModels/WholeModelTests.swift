import Autograd
import BLIP2
import Foundation
import LanguageModels
import Layers
import PublicFormats
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import Recipes
@testable import Reporting
@testable import Training
@testable import VisionEncoders

/// Hugging Face's folders of stage 2 in place of checkpoints: what they say of pictures is what their own
/// library makes them say.
@Suite struct WholeModelTests {
  private func load(
    _ path: String, _ overrides: [String] = []
  ) throws -> LoadedRecipe<StageTwoRecipe> {
    try LoadedRecipe(path, overrides: overrides, reading: [], report: { _ in })
  }

  /// The pixels of a picture, `[1, 3, side, side]`.
  private func pixels(_ path: String, _ recipe: StageTwoRecipe) throws -> Tensor {
    let reader = ImageReader(
      decoder: recipe.data.decoder, transform: recipe.data.plain(for: recipe.tower)
    ) { Issue.record("\($0)") }
    return try #require(try reader.images([path])).pixels
  }

  /// The soft prompts of random pixels.
  private func prompts(_ recipe: StageTwoRecipe) -> Tensor {
    let side = recipe.tower.imageSize
    let features = recipe.tower.features(randomTensor([2, 3, side, side], seed: 4))
    return withoutGradients { recipe.qFormer.softPrompts(features).rows.value }
  }

  @Test(arguments: WholeModel.all, WholeModel.Files.allCases)
  func itSaysWhatItsOwnLibrarySays(_ golden: WholeModel, _ files: WholeModel.Files) throws {
    let temporary = try TemporaryFolder()
    let model = try golden.copy(files, in: temporary)
    let (cases, values) = (try golden.cases(), try golden.golden())
    let checkpoint = try load(model.folder.path)
    let recipe = checkpoint.recipe
    let languageModel = recipe.languageModel.model
    var numbers: [String: Int] = [:]
    #expect(!cases.cases.isEmpty)
    for entry in cases.cases {
      let name = entry.picture.replacingOccurrences(of: ".png", with: "")
      let number = numbers[name, default: 0]
      numbers[name] = number + 1
      let pixels = try pixels(model.path(entry.picture), recipe)
      #expect(
        difference(
          pixels, try values.tensor("outputs/pixel_values/\(name)"), relative: 1e-5) == nil)

      let beginning = recipe.texts.beginning(entry.prompt)
      #expect(beginning == entry.inputIds.filter { $0 != cases.imageToken })
      func session() -> any DecodingSession {
        withoutGradients {
          let prompts = recipe.qFormer.softPrompts(recipe.tower.features(pixels))
          return languageModel.decodingSession(
            after: languageModel.input(prompts, prefixes: [beginning]))
        }
      }
      #expect(
        difference(
          try session().start(),
          try values.tensor("outputs/first_logits/\(name)/\(number)"), relative: 1e-4) == nil)

      for (decoding, answer) in [("greedy", entry.greedy), ("beam3", entry.beam3)] {
        var options = GenerationOptions(endIds: [])
        options.read(decoding)
        options.maximumNewTokens = cases.maxNewTokens
        let generator = try checkpoint.generator(options, promptLength: beginning.count)
        let found = try withoutGradients { try generator.sequences(session()) }
        let tokens = try #require(found.first?.first).tokens
        #expect(tokens == answer.newIds, "\(entry.picture), \(entry.prompt ?? "-"), \(decoding)")
        #expect(
          recipe.texts.text(tokens)
            == answer.text.trimmingCharacters(in: .whitespacesAndNewlines))
      }
    }
  }

  /// By the command line: the folder, and what is imported of it.
  @Test(arguments: WholeModel.all) func commandsTakeIt(_ golden: WholeModel) throws {
    let temporary = try TemporaryFolder()
    let cases = try golden.cases()
    let plain = cases.cases.filter { $0.prompt == nil }
    let imported = temporary.path("imported.h5")
    let result = try BuiltTool.run(["import", golden.folder.path, "--output", imported])
    #expect(result.status == 0, "\(result.errors)")
    #expect(
      result.output.contains("trained part") && result.output.contains("image encoder: in it"))

    struct Line: Decodable { let texts: [String] }
    for path in [golden.folder.path, imported] {
      let said = try BuiltTool.run(
        ["generate", "--checkpoint", path, "--json", "--beams", "1", "--min-new-tokens", "0"]
          + ["--max-new-tokens", "\(cases.maxNewTokens)", "--image"]
          + plain.map { golden.path($0.picture) })
      #expect(said.status == 0, "\(said.errors)")
      let texts = try said.output.split(separator: "\n").map {
        try JSONDecoder().decode(Line.self, from: Data($0.utf8)).texts
      }
      #expect(
        texts == plain.map { [$0.greedy.text.trimmingCharacters(in: .whitespacesAndNewlines)] })
    }

    let shown = try BuiltTool.run(["inspect", golden.folder.path])
    #expect(shown.status == 0, "\(shown.errors)")
    #expect(shown.output.contains("stage2") && shown.output.contains("language model"))
    let again = try BuiltTool.run(["import", golden.folder.path, "--output", imported])
    #expect(again.status == 1 && again.errors.contains("--force"), "\(again.errors)")
    let run = try TinyStageTwo(family: "opt")
    for path in [golden.folder.path, imported] {
      let resumed = try BuiltTool.run(run.arguments("a", ["--resume=\(path)"]))
      #expect(resumed.status == 1)
      #expect(resumed.errors.contains("initialise.from=\(path)"), "\(resumed.errors)")
    }
  }

  /// No tokenizer is wanted, and what is written is what is used directly.
  @Test(arguments: WholeModel.all) func importIsTheTrainedPart(_ golden: WholeModel) throws {
    let temporary = try TemporaryFolder()
    let copy = try temporary.copy(golden.folder)
    for name in try FileManager.default.contentsOfDirectory(atPath: copy.path)
    where !["config.json", "model.safetensors"].contains(name) {
      try FileManager.default.removeItem(at: copy.appendingPathComponent(name))
    }
    let output = temporary.url.appendingPathComponent("a.h5")
    try ModelImport.write(copy.path, to: output, overrides: []) { _ in }
    let file = try TrainedModels.open(output.path) { _ in }
    #expect(file.metadata.kind == StageTwoRecipe.name && file.metadata.step == 0)
    #expect(Set(file.metadata.fingerprints.keys) == ["llm", "vision", "source"])

    let recipe = try load(golden.folder.path).recipe
    let other = StageTwoModel(
      recipe.configuration.model, visionWidth: recipe.tower.encoder.width,
      embeddingWidth: recipe.languageModel.model.embeddingWidth, seed: 8)
    try file.load(into: other.namedParameters)
    let values = Dictionary(
      uniqueKeysWithValues: other.namedParameters.map { ($0.name, $0.parameter.value.values) })
    let expected = recipe.model.trainedParameters
    #expect(values.count == expected.count)
    for entry in expected { #expect(values[entry.name] == entry.parameter.value.values) }
  }

  @Test(arguments: WholeModel.all) func aRunBeginsFromIt(_ golden: WholeModel) throws {
    let loaded = try load(golden.folder.path)
    var configuration = loaded.configuration
    configuration.data.train.path =
      Goldens.repository.appendingPathComponent("Data/demo/heldout.jsonl").path
    configuration.initialise.from = golden.folder.path
    configuration.seed = 8
    let stage = try StageTwoRecipe(configuration)
    let progress = ProgressReporter(totalSteps: 1, isTerminal: false)
    try stage.initialise(progress)
    for (mine, theirs) in zip(
      stage.model.trainedParameters, loaded.recipe.model.trainedParameters)
    { #expect(mine.parameter.value.values == theirs.parameter.value.values, "\(mine.name)") }

    configuration.vision.path =
      Goldens.repository.appendingPathComponent("Data/demo/encoder").path
    #expect(throws: (any Error).self) { try StageTwoRecipe(configuration).initialise(progress) }
  }

  @Test(arguments: WholeModel.all) func positionsAreResized(_ golden: WholeModel) throws {
    let usual = try load(golden.folder.path).recipe.tower
    let side = 2 * usual.imageSize
    let recipe = try load(golden.folder.path, ["vision.imageSize=\(side)"]).recipe
    #expect(recipe.tower.imageSize == side && recipe.tower.tokenCount > 2 * usual.tokenCount)
    #expect(!prompts(recipe).hasNonFinite)
  }

  /// A file of the authors' that was fine-tuned with its encoder: nothing but the language model is named.
  @Test(arguments: WholeModel.all) func theAuthorsFineTunedFile(_ golden: WholeModel) throws {
    let temporary = try TemporaryFolder()
    let recipe = try load(golden.folder.path).recipe
    let encoder = try #require(
      try VisionEncoderFamily.encoder(at: golden.folder) as? EVAViT)
    var authors = encoder.authorsFormat
    authors.prefix = "visual_encoder."
    let tensors = PublicFormat.lavisStageTwo(projection: "opt_proj")
      .tensors(of: recipe.model.trainedParameters, precision: .float32)
      .merging(authors.tensors(of: encoder.namedParameters, precision: .float32)) { $1 }
      .merging([
        "Qformer.bert.embeddings.position_ids": .init(shape: [1, 2], values: [0, 1]),
        "Qformer.bert.encoder.layer.0.intermediate.dense.bias": .init(shape: [1], values: [1]),
        "Qformer.bert.encoder.layer.0.output.dense.bias": .init(shape: [1], values: [1]),
      ]) { $1 }
    let file = temporary.url.appendingPathComponent("tuned.pth")
    try Data(torchFile(model: tensors).file).write(to: file)
    let qFormer = recipe.configuration.model.qFormer
    let keys = [
      "vision.heads=\(encoder.configuration.heads)", "model.qFormer.heads=\(qFormer.heads)",
      "model.qFormer.visionNormEpsilon=\(qFormer.visionNormEpsilon)",
    ]
    let llm = "llm.path=\(golden.folder.path)"
    let tuned = try load(file.path, keys + [llm]).recipe
    #expect(difference(prompts(tuned), prompts(recipe), relative: 1e-4) == nil)

    func refusal(_ overrides: [String]) -> String {
      do {
        _ = try load(file.path, overrides)
        return "none"
      } catch { return "\(error)" }
    }
    #expect(refusal(keys).contains("llm.path"))
    let others = refusal([keys[1], llm, "vision.path=\(golden.folder.path)"])
    #expect(others.contains("vision: the checkpoint was made with"), "\(others)")

    var lines: [String] = []
    try ModelImport.write(
      file.path, to: temporary.url.appendingPathComponent("tuned.h5"), overrides: keys
    ) { lines.append($0) }
    let said = lines.joined(separator: "\n")
    for words in ["a buffer", "text half", "name it by llm.path", "model.qFormer.heads"] {
      #expect(said.contains(words), "\(said)")
    }
    #expect(try load(temporary.path("tuned.h5"), [llm]).recipe.tower.imageSize > 0)
  }
}
