import Autograd
import Files
import Foundation
import LanguageModels
import Tensors
import TestSupport
import Testing
import Tokenizers
import VisionEncoders
import WeightFiles

@testable import Recipes

/// Folders for transformers, held against those that the library wrote.
@Suite struct HuggingFaceExportTests {
  private let temporary: TemporaryFolder
  private let output: URL

  init() throws {
    temporary = try TemporaryFolder()
    output = temporary.url.appendingPathComponent("exported", isDirectory: true)
    try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
  }

  static let stageTwo = Goldens.folders(beginning: "blip2-", with: "cases.json")
  static let retrieval = PublicStageOneTests.retrieval

  /// - Returns: What is said beside.
  private func export<R: ExportableRecipe>(
    _ recipe: R, _ change: (inout ExportSettings) -> Void = { _ in }
  ) throws -> [String] {
    var settings = ExportSettings(format: .huggingface)
    change(&settings)
    return try HuggingFaceExport(recipe, file: "checkpoint", settings).write(to: output)
  }

  @Test func goldensArePresent() { #expect(!Self.stageTwo.isEmpty && !Self.retrieval.isEmpty) }

  @Test(arguments: stageTwo) func wholeFoldersComeBack(_ golden: URL) throws {
    let notes = try export(ExportedRecipes.stageTwo(golden, in: temporary))
    #expect(notes == [])
    try expectWeights(of: golden)
    for (name, ignored) in [
      ("config.json", ["image_text_hidden_size"]), ("generation_config.json", []),
      ("preprocessor_config.json", []), ("processor_config.json", []),
    ] { try expectValues(of: name, in: golden, except: ignored) }
    let (ours, theirs) = (
      try LanguageTokenizers.open(folder: output), try LanguageTokenizers.open(folder: golden)
    )
    for text in ["a dog on white", "Question: what is it? Answer:", "<image>", ""] {
      #expect(ours.encode(text) == theirs.encode(text), "\(text)")
    }
  }

  /// In by the door of checkpoints, and out again.
  @Test(arguments: stageTwo) func aPublicModelGoesOutAsItCameIn(_ golden: URL) throws {
    try ModelExport.write(
      checkpoint: golden.path, settings: ExportSettings(format: .huggingface), to: output,
      report: { _ in })
    try expectWeights(of: golden)
    let card = try String(contentsOf: output.appendingPathComponent("README.md"), encoding: .utf8)
    #expect(card.hasPrefix("---\n") && card.contains("Blip2ForConditionalGeneration"))
    #expect(card.contains("# \(golden.lastPathComponent)\n") && !card.contains("steps"))
    #expect(card.contains("| trained part | \(golden.path) |"))
  }

  /// Not even where anything may be replaced.
  @Test(arguments: stageTwo) func whatIsReadIsNotWrittenOver(_ golden: URL) throws {
    let copy = try temporary.copy(golden, as: "copy")
    let before = try Data(contentsOf: copy.appendingPathComponent("config.json"))
    for parts in [ExportSettings.Parts.all, .qformer] {
      #expect(throws: OutputPath.Refusal.self) {
        try ModelExport.write(
          checkpoint: copy.path, settings: ExportSettings(format: .huggingface, parts: parts),
          to: copy, report: { _ in })
      }
    }
    #expect(try Data(contentsOf: copy.appendingPathComponent("config.json")) == before)
    #expect(!FileManager.default.fileExists(atPath: copy.appendingPathComponent("README.md").path))
  }

  @Test(arguments: retrieval) func theRetrievalModelComesBack(_ golden: URL) throws {
    let notes = try export(ExportedRecipes.retrieval(golden, in: temporary))
    #expect(
      notes == [
        "Blip2ForImageTextRetrieval has no place for languageHead, temperature: left out"
      ])
    try expectWeights(of: golden)
    // It stands before a text and is taken away again: any id behind the vocabulary will do.
    try expectValues(
      of: "config.json", in: golden,
      except: [
        "image_token_index", "pad_token_id", "text_config", "use_decoder_only_language_model",
      ])
    let words = try String(contentsOf: output.appendingPathComponent("vocab.txt"), encoding: .utf8)
    let count = words.split(separator: "\n").count
    let added = try object("added_tokens.json", in: output)
    #expect(added as? [String: Int] == ["[DEC]": count, "<image>": count + 1])
    #expect(try object("config.json", in: output)["image_token_index"] as? Int == count + 1)
  }

  @Test(arguments: retrieval) func theTrainedPartAlone(_ golden: URL) throws {
    let notes = try export(ExportedRecipes.retrieval(golden, in: temporary)) {
      $0.parts = .qformer
      $0.maximumShardBytes = 20_000
    }
    #expect(notes.count == 1)
    let (ours, theirs) = (try WeightFolder(output), try WeightFolder(golden))
    let encoder = "vision_model."
    #expect(
      ours.names
        == theirs.names.filter { !$0.hasPrefix(encoder) || $0.hasPrefix(encoder + "post_") })
    let files = try FileManager.default.contentsOfDirectory(atPath: output.path)
    #expect(files.contains("model.safetensors.index.json") && !files.contains("config.json"))
  }

  /// The demo's language models have as many rows as their tokenizers have tokens.
  @Test(arguments: ["opt", "t5"]) func aTokenMoreHasARow(_ family: String) throws {
    let recipe = try StageTwoRecipe(TinyStageTwo(family: family).configuration(), reading: [])
    let notes = try export(recipe)
    #expect(notes.count == 1 && notes[0].contains("adds 1e-05 to the variance"), "\(notes)")
    let before = recipe.languageModel.model
    let model = try LanguageModelFamily.model(at: output)
    let token = try #require(
      object("config.json", in: output)["image_token_index"] as? Int)
    #expect(token == before.vocabularySize && model.vocabularySize == token + 1)
    let tokenizer = try LanguageTokenizers.open(folder: output)
    #expect(tokenizer.encode("<image>").last == Int32(token))
    let words = tokenizer.encode("a big dog on white")
    #expect(words == recipe.languageModel.tokenizer.encode("a big dog on white"))

    let prompt = model.embeddings(ofTexts: [words])
    #expect(prompt.rows.value.values == before.embeddings(ofTexts: [words]).rows.value.values)
    let logits = model.logits(model.states(predicting: [words], after: prompt)).value
    let expected = before.logits(before.states(predicting: [words], after: prompt)).value
    for row in words.indices {
      let mine = Array(logits.rows(row..<row + 1).values)
      let known = Tensor(Array(mine.dropLast()), shape: [token])
      #expect(difference(known, expected.rows(row..<row + 1), relative: 1e-4) == nil)
      #expect(mine[token] < (mine.dropLast().max() ?? 0))
    }
  }

  /// Positions are those of the run's images, and the folder's encoder sees them alike.
  @Test func theEncoderIsThatOfTheRun() throws {
    let recipe = try StageTwoRecipe(TinyStageTwo(family: "opt").configuration(), reading: [])
    _ = try export(recipe)
    let encoder = try VisionEncoderFamily.encoder(at: output)
    #expect(encoder.nativeImageSize == 48 && recipe.tower.encoder.nativeImageSize == 96)
    let pixels = randomTensor([2, 3, 48, 48], seed: 3)
    let features = withoutGradients {
      encoder.features(pixels, output: VisionOutput(appliesFinalNorm: false)).value
    }
    #expect(features.values == recipe.tower.features(pixels).value.values)
  }

  @Test func whatHasNoPlaceIsRefused() throws {
    func refusal(_ change: (inout VisionConfiguration) -> Void) -> ExportError? {
      var configuration = VisionConfiguration()
      change(&configuration)
      do {
        _ = try PublicVision(VisionTower(configuration, seed: 1), file: "run")
        return nil
      } catch { return error as? ExportError }
    }
    let clip = refusal { $0.path = Goldens.folder.appendingPathComponent("clip-vision").path }
    #expect(clip?.description.contains("a norm before the first block") == true)
    let ownNorm = refusal { $0.frozen = false }
    #expect(ownNorm?.description.contains("vision.finalNorm") == true)
    let earlier = refusal {
      $0.frozen = false
      ($0.finalNorm, $0.layer) = (false, 2)
    }
    #expect(earlier?.description.contains("block 2 of 6") == true)
    for error in [clip, ownNorm, earlier] {
      #expect(error?.description.contains("--format lavis") == true)
      #expect(error?.description.contains("--parts qformer") == true)
    }
    #expect(
      refusal {
        $0.frozen = false
        $0.finalNorm = false
      } == nil)
  }

  // MARK: Comparison

  private func object(_ name: String, in folder: URL) throws -> [String: Any] {
    let data = try Data(contentsOf: folder.appendingPathComponent(name))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  /// Every tensor of a golden, to the bit, and no other.
  private func expectWeights(of golden: URL) throws {
    let (ours, theirs) = (try WeightFolder(output), try WeightFolder(golden))
    #expect(ours.names == theirs.names)
    #expect(ours.metadata == theirs.metadata)
    for name in theirs.names where ours.contains(name) {
      let (mine, other) = (try ours.tensor(named: name), try theirs.tensor(named: name))
      #expect(mine.hasSameBytes(as: other), "\(name): \(mine.shape) and \(other.shape)")
    }
  }

  /// Keys that change nothing that is computed from what is stored.
  private static let free: Set = [
    "_from_model_config", "transformers_version", "dtype", "torch_dtype", "initializer_range",
    "initializer_factor", "init_std", "dropout", "dropout_rate", "attention_dropout", "layerdrop",
    "attention_probs_dropout_prob", "hidden_dropout_prob", "classifier_dropout", "use_cache",
    "is_encoder_decoder",
  ]

  /// All that a golden's file says, as far as it counts.
  private func expectValues(of name: String, in golden: URL, except ignored: [String]) throws {
    expect(
      try object(name, in: output), try object(name, in: golden), at: name,
      Self.free.union(ignored))
  }

  private func expect(
    _ ours: [String: Any], _ theirs: [String: Any], at place: String, _ free: Set<String>
  ) {
    for (key, value) in theirs where !free.contains(key) {
      let (found, place) = (ours[key], "\(place).\(key)")
      if let inner = value as? [String: Any] {
        expect(found as? [String: Any] ?? [:], inner, at: place, free)
      } else if let numbers = value as? [Double] {
        // The same float32 has several decimals of nine digits.
        #expect((found as? [Double])?.map { Float($0) } == numbers.map { Float($0) }, "\(place)")
      } else {
        #expect("\(found ?? "nothing")" == "\(value)", "\(place)")
      }
    }
  }
}
