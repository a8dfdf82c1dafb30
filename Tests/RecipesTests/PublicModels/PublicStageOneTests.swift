import Autograd
import BLIP2
import Checkpointing
import Configuration
import Foundation
import Layers
import PublicFormats
import Tensors
import TestSupport
import Testing
import VisionEncoders
import WeightFiles

@testable import Recipes
@testable import Training

/// Public models of stage 1, and what is no public model.
@Suite struct PublicStageOneTests {
  static let files = Goldens.files(in: "stage1")

  /// The folders with match logits.
  static let retrieval = Goldens.folders(beginning: "blip2-", with: "golden.safetensors").filter {
    let golden = try? Golden($0.appendingPathComponent("golden.safetensors"))
    return golden?.names(under: "outputs/itm_logits").isEmpty == false
  }

  /// What a reader says against a path.
  private func refusal(_ read: () throws -> Void) -> String {
    do {
      try read()
      return "none"
    } catch { return error.localizedDescription }
  }

  private func model(_ file: any TrainedModel, seed: UInt64) throws -> StageOneModel {
    let configuration = try file.configuration(of: StageOneRecipe.self)
    let stored = file.arrays.first { $0.path == "model/visionNorm/weight" }?.shape.first
    let width = try (file as? PublicCheckpoint)?.outputs(of: "visionNorm.weight") ?? stored
    let model = StageOneModel(
      configuration.model, visionWidth: try #require(width), seed: seed)
    try file.load(into: model.namedParameters)
    return model
  }

  /// Safetensors and `torch.save`, used directly and imported: every number of the file.
  @Test(arguments: files) func theAuthorsFile(_ golden: URL) throws {
    let temporary = try TemporaryFolder()
    let tensors = try authorsTensors(golden)
    let plain = temporary.url.appendingPathComponent("a.safetensors")
    try SafetensorsWriter.write(tensors, to: plain)
    let torch = temporary.url.appendingPathComponent("a.pth")
    try Data(torchFile(model: tensors).file).write(to: torch)
    let imported = temporary.url.appendingPathComponent("a.h5")
    var lines: [String] = []
    try ModelImport.write(plain.path, to: imported, overrides: []) { lines.append($0) }
    #expect(
      lines.contains { $0.contains("image encoder: not in it") && $0.contains("vision.path") })
    for path in [plain.path, torch.path, imported.path] {
      let file = try TrainedModels.open(path) { _ in }
      let model = try model(file, seed: 3)
      #expect(model.namedParameters.count == tensors.count)
      for entry in model.namedParameters {
        let name = PublicFormat.lavis.publicName(of: entry.name)
        #expect(try entry.parameter.value.values == tensors[name]?.values, "\(name)")
      }
      // Stage 2 begins from it.
      var second = StageTwoConfiguration()
      second.qFormer = model.configuration.qFormer
      let next = StageTwoModel(
        second, visionWidth: model.qFormer.visionWidth, embeddingWidth: 5, seed: 4)
      let parameters = next.fromStageOne.namedParameters
      try file.load(into: parameters)
      for entry in parameters {
        let name = PublicFormat.lavis.publicName(of: entry.name)
        #expect(try entry.parameter.value.values == tensors[name]?.values, "\(name)")
      }
    }
    // It is used with an encoder, which such a file does not hold.
    let said = refusal {
      _ = try LoadedRecipe<StageOneRecipe>(plain.path, reading: [], report: { _ in })
    }
    #expect(said.contains("vision.path"), "\(said)")
  }

  /// A head stored a second time is the word embeddings, or nothing that BLIP-2 has.
  @Test func theTiedHead() throws {
    let temporary = try TemporaryFolder()
    var tensors = try authorsTensors(try #require(Self.files.first))
    let name = "Qformer.cls.predictions.decoder.weight"
    let words = try #require(tensors["Qformer.bert.embeddings.word_embeddings.weight"])
    tensors[name] = words
    let file = temporary.url.appendingPathComponent("a.safetensors")
    try SafetensorsWriter.write(tensors, to: file)
    let sound = try PublicCheckpoint(file.path)
    #expect(sound.leftOver().map(\.names) == [[name]])
    _ = try model(sound, seed: 0)

    var values = try words.values
    values[0] += 1
    tensors[name] = .init(shape: words.shape, values: values)
    let other = temporary.url.appendingPathComponent("b.safetensors")
    try SafetensorsWriter.write(tensors, to: other)
    let said = refusal { _ = try model(PublicCheckpoint(other.path), seed: 0) }
    #expect(said.contains(name), "\(said)")
  }

  @Test(arguments: retrieval) func retrievalScores(_ folder: URL) throws {
    let golden = try Golden(folder.appendingPathComponent("golden.safetensors"))
    let temporary = try TemporaryFolder()
    let file = try PublicCheckpoint(folder.path)
    let rows = try file.configuration(of: StageOneRecipe.self).model.qFormer.vocabularySize
    // [DEC] is added behind them.
    let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    let vocabulary = try temporary.write(
      (words + (words.count..<rows - 1).map { "w\($0)" }).joined(separator: "\n") + "\n",
      to: "vocab.txt")
    let keys = ["data.vocabulary=\(vocabulary.path)"]
    let imported = temporary.url.appendingPathComponent("a.h5")
    try ModelImport.write(folder.path, to: imported, overrides: keys) { _ in }
    // Where the configuration names an image token, the library takes the first ids, one for each query,
    // for such tokens, whatever they are. A text of which nothing is left has no defined features.
    let queries = try file.configuration(of: StageOneRecipe.self).model.qFormer.queries
    let all = zip(
      try golden.rows("inputs/token_ids"), try golden.rows("inputs/attention_mask")
    ).map { tokens, mask in
      zip(tokens, mask).dropFirst(queries).filter { $1 == 1 }.map(\.0)
    }
    let kept = all.indices.filter { !all[$0].isEmpty }
    #expect(!kept.isEmpty)
    let texts = kept.map { all[$0] }
    for path in [folder.path, imported.path] {
      let recipe = try LoadedRecipe<StageOneRecipe>(
        path, overrides: keys, reading: [], report: { _ in }
      ).recipe
      #expect(!recipe.configuration.model.objectives.generation)
      let features = recipe.tower.features(try golden.tensor("inputs/pixel_values"))
      let logits = recipe.qFormer.matchLogits(
        kept.enumerated().map { (image: $1, text: $0) }, features: features, texts: texts)
      let expected = try golden.tensor("outputs/itm_logits")
      #expect(
        difference(
          Tensor(logits, shape: [logits.count]),
          Tensor(kept.map { expected.values[2 * $0 + 1] }, shape: [logits.count]),
          relative: 1e-4) == nil)
      let cosines = recipe.qFormer.cosines(
        images: recipe.qFormer.imageFeatures(features), texts: recipe.qFormer.textFeatures(texts))
      let similarity = try golden.tensor("outputs/itc_similarity")
      let count = all.count
      #expect(
        difference(
          cosines,
          Tensor(
            (0..<count).flatMap { image in kept.map { similarity.values[image * count + $0] } },
            shape: [count, kept.count]), relative: 1e-4) == nil)
    }
  }

  /// BERT's own rows: the one of [DEC] is new.
  @Test(arguments: retrieval) func wordsWithoutTheDecoderToken(_ golden: URL) throws {
    let temporary = try TemporaryFolder()
    let folder = try temporary.copy(golden)
    let (weights, name) = ("model.safetensors", "embeddings.word_embeddings.weight")
    var tensors = try SafetensorsFile(golden.appendingPathComponent(weights)).floatingTensors()
    let words = try #require(tensors[name])
    let (rows, width) = (30_522, words.shape[1])
    let values = randomTensor([rows, width], seed: 5).values
    tensors[name] = .init(shape: [rows, width], values: values)
    try FileManager.default.removeItem(at: folder.appendingPathComponent(weights))
    try SafetensorsWriter.write(tensors, to: folder.appendingPathComponent(weights))
    let file = folder.appendingPathComponent("config.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    try Data(
      text.replacingOccurrences(
        of: "\"vocab_size\": \(words.shape[0])", with: "\"vocab_size\": \(rows)"
      ).utf8
    ).write(to: file)
    let model30522 = try PublicCheckpoint(folder.path)
    #expect(model30522.notes.contains { $0.contains("[DEC]") })
    let table = try model(model30522, seed: 0).qFormer.wordEmbeddings.value
    #expect(table.shape == [rows + 1, width])
    #expect(table.values.prefix(values.count).elementsEqual(values))
  }

  // MARK: What is refused

  private static let whole = WholeModel.all.first

  /// A whole model's folder with other tensors.
  private func changed(
    _ temporary: TemporaryFolder, _ change: (inout FileTensors) -> Void
  ) throws -> String {
    let whole = try #require(Self.whole)
    let folder = try temporary.copy(whole.folder, as: "changed")
    let file = folder.appendingPathComponent("model.safetensors")
    var tensors = try SafetensorsFile(file).floatingTensors()
    change(&tensors)
    try FileManager.default.removeItem(at: file)
    try SafetensorsWriter.write(tensors, to: file)
    return folder.path
  }

  @Test func aTensorThatIsMissingOrOfAnotherShape() throws {
    for name in ["query_tokens", "language_projection.weight", "qformer.layernorm.bias"] {
      for shape in [nil, [1, 2, 3]] {
        let temporary = try TemporaryFolder()
        let path = try changed(temporary) { tensors in
          tensors[name] = shape.map {
            .init(shape: $0, values: Array(repeating: 1, count: $0.reduce(1, *)))
          }
        }
        let said = refusal {
          _ = try LoadedRecipe<StageTwoRecipe>(path, reading: [], report: { _ in })
        }
        #expect(said.contains("tensor \(name)"), "\(said)")
        #expect(shape == nil || said.contains("found [1, 2, 3]"), "\(said)")
      }
    }
  }

  @Test func sizesThatTheTensorsDoNotHave() throws {
    let temporary = try TemporaryFolder()
    let whole = try #require(Self.whole)
    let folder = try temporary.copy(whole.folder)
    let file = folder.appendingPathComponent("config.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    for (key, value) in [("num_query_tokens", "4000"), ("num_hidden_layers", "500")] {
      let pattern = try Regex("\"\(key)\": [0-9]+")
      try Data(text.replacing(pattern, with: "\"\(key)\": \(value)").utf8).write(to: file)
      let said = refusal { _ = try PublicCheckpoint(folder.path) }
      #expect(said != "none" && said.contains(folder.path), "\(said)")
    }
  }

  /// What a configuration does not say, the tensors do.
  @Test func theArchitecture() throws {
    let temporary = try TemporaryFolder()
    let whole = try #require(Self.whole)
    let folder = try temporary.copy(whole.folder)
    let file = folder.appendingPathComponent("config.json")
    var values = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    for name in [nil, "Blip2Model", "Blip2QFormerModel"] {
      values["architectures"] = name.map { [$0] }
      try JSONSerialization.data(withJSONObject: values).write(to: file)
      if name == "Blip2QFormerModel" {
        let said = refusal { _ = try PublicCheckpoint(folder.path) }
        #expect(said.contains("Blip2ForImageTextRetrieval, found Blip2QFormerModel"), "\(said)")
      } else {
        #expect(try PublicCheckpoint(folder.path).form == .huggingFaceStageTwo)
      }
    }
  }

  @Test func whatIsNoPublicModel() throws {
    let temporary = try TemporaryFolder()
    let whole = try #require(Self.whole)
    let half = temporary.url.appendingPathComponent("half", isDirectory: true)
    let weights = temporary.url.appendingPathComponent("weights", isDirectory: true)
    for (folder, name) in [(half, "config.json"), (weights, "model.safetensors")] {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        at: whole.folder.appendingPathComponent(name), to: folder.appendingPathComponent(name))
    }
    let text = try temporary.write("a text\n", to: "text.txt")
    let script = temporary.url.appendingPathComponent("script.pth")
    try Data(ZipMaker([("a/data.pkl", []), ("a/constants.pkl", [])]).file).write(to: script)
    for (path, words) in [
      (half.path, ["model.safetensors"]), (weights.path, ["config.json"]),
      (whole.path("model.safetensors"), ["folder with its config.json"]),
      (Goldens.folder.appendingPathComponent("clip-vision").path, ["blip-2", "vision.path"]),
      (Goldens.folder.appendingPathComponent("opt").path, ["blip-2", "llm.path"]),
      (text.path, ["is not a checkpoint"]), (script.path, ["TorchScript"]),
      (temporary.path("nothing"), ["does not exist"]),
    ] {
      let said = refusal { _ = try TrainedModels.open(path) { _ in } }
      for words in words { #expect(said.contains(words), "\(path): \(said)") }
    }
  }

  /// Damaged headers end in a model or in an error of our own.
  @Test func damagedFiles() throws {
    let temporary = try TemporaryFolder()
    let file = temporary.url.appendingPathComponent("a.safetensors")
    let samples = try Self.files.map {
      try SafetensorsWriter.write(authorsTensors($0), to: file)
      return try FuzzRun.Sample(file)
    }
    let run = FuzzRun(reader: "public-blip2", samples: samples) {
      $0 is ModelConfigurationError || $0 is WeightFileError || $0 is CheckpointError
        || $0 is ConfigurationError
    }
    let report = run.run { mutator, bytes, other in
      let length = Int(bytes[0]) | Int(bytes[1]) << 8
      let text = Array(bytes[8..<8 + length])
      let header = mutator.mutatedJSON(text, with: text)
      return number(header.count, 8) + header + bytes[(8 + length)...]
    } read: { bytes in
      try temporary.replace("a.safetensors", with: bytes)
      let file = try PublicCheckpoint(temporary.path("a.safetensors"))
      _ = file.leftOverLines
      guard file.metadata.kind == StageOneRecipe.name else { return }
      let configuration = try file.configuration(of: StageOneRecipe.self)
      try KeyCheck.check(configuration, like: StageOneRecipe.Configuration())
      try configuration.model.check()
      let model = StageOneModel(
        configuration.model, visionWidth: try file.outputs(of: "visionNorm.weight"), seed: 0)
      try file.load(into: model.namedParameters)
    }
    #expect(report.problems == [])
  }
}
