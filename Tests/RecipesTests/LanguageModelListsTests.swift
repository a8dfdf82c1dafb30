import Autograd
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Recipes
@testable import Training

/// Small language models that read lists as soft prompts are read.
@Suite struct LanguageModelListsTests {
  /// Texts of images with things in two places, one of them a list.
  private func texts() -> String {
    let nouns = ["dog", "key", "bus", "owl"]
    let lines = nouns.flatMap { a in
      nouns.filter { $0 != a }.map { b in
        let texts = ["a \(a) left of a \(b)", "Seen: left \(a), right \(b)"]
        return "{\"image\": \"\(a)-\(b).webp\", \"caption\": [\"\(texts[0])\", \"\(texts[1])\"]}\n"
      }
    }
    return lines.joined()
  }

  /// With lists and without, both families learn, and write a folder that can be read.
  @Test(arguments: ["opt", "t5"], ["Seen:", nil])
  func learnsAndWritesAFolder(_ family: String, _ listMark: String?) throws {
    let folder = try TemporaryFolder()
    let output = folder.url.appendingPathComponent("model")
    try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
    let demo = Goldens.repository.appendingPathComponent("Data/demo/\(family)")
    for name in try FileManager.default.contentsOfDirectory(atPath: demo.path)
    where !["config.json", "model.safetensors"].contains(name) {
      try FileManager.default.copyItem(
        at: demo.appendingPathComponent(name), to: output.appendingPathComponent(name))
    }
    let list = folder.url.appendingPathComponent("texts.jsonl")
    try texts().write(to: list, atomically: true, encoding: .utf8)

    var configuration = LanguageModelRecipe.Configuration()
    configuration.model.family = try #require(.init(rawValue: family))
    configuration.output = folder.path("run")
    configuration.folder = output.path
    configuration.texts.path = list.path
    configuration.cleanTexts = false
    configuration.listMark = listMark
    configuration.model.initialDeviation = 0.1
    if family == "opt" { configuration.model.initialPositions = .sineCosine }
    (configuration.model.width, configuration.model.layers, configuration.model.heads) = (32, 2, 2)
    configuration.model.feedForwardWidth = 64
    configuration.training.steps = 100
    configuration.training.learningRate.peak = 5e-3
    configuration.training.learningRate.warmupSteps = 5
    let recipe = try LanguageModelRecipe(configuration)
    #expect(try Trainer(recipe, isTerminal: false).train(resume: .none) == .finished)
    let metrics = try String(
      contentsOfFile: configuration.output + "/metrics.jsonl", encoding: .utf8)
    let losses = metrics.matches(of: #/"lm":([0-9.]+)/#).compactMap { Double($0.output.1) }
    #expect(losses.count == 2 && losses[1] < 0.7 * losses[0], "\(losses)")

    var written = LanguageModelConfiguration()
    written.path = output.path
    let model = try FrozenLanguageModel(written)
    #expect(model.tokenizer.encode("a dog").isEmpty == false)
  }

  /// A phrase of a list is one vector, the sum of its words'.
  @Test func phrasesAreSums() {
    let rows = Variable(Tensor([1, 2, 10, 20, 100, 200], shape: [3, 2]))
    let sums = LanguageModelRecipe.sums(of: rows, by: [[7, 8], [9]])
    #expect(sums.value.values == [11, 22, 100, 200])
  }
}
