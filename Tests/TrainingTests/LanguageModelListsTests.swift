import Autograd
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Training

/// Small language models that read lists as soft prompts are read.
@Suite struct LanguageModelListsTests {
  /// Texts of pictures with things in two places, one of them a list.
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

    var configuration = LanguageModelTrainingConfiguration()
    configuration.family = try #require(.init(rawValue: family))
    configuration.output = output.path
    configuration.texts.path = list.path
    configuration.cleanTexts = false
    configuration.listMark = listMark
    configuration.initialDeviation = 0.1
    configuration.initialPositions = .sineCosine
    (configuration.width, configuration.layers, configuration.heads) = (32, 2, 2)
    configuration.feedForwardWidth = 64
    configuration.steps = 100
    configuration.learningRate.peak = 5e-3
    configuration.learningRate.warmupSteps = 5
    var losses: [Double] = []
    let training = try LanguageModelTraining(configuration)
    let isDone = try training.run { line in
      if let loss = line.components(separatedBy: "lm ").last.flatMap(Double.init) {
        losses.append(loss)
      }
    }
    #expect(isDone)
    #expect(losses.count == 2 && losses[1] < 0.7 * losses[0], "\(losses)")

    var written = LanguageModelConfiguration()
    written.path = output.path
    let model = try FrozenLanguageModel(written)
    #expect(model.tokenizer.encode("a dog").isEmpty == false)
  }

  /// A phrase of a list is one vector, the sum of its words'.
  @Test func phrasesAreSums() {
    let rows = Variable(Tensor([1, 2, 10, 20, 100, 200], shape: [3, 2]))
    let sums = LanguageModelTraining.sums(of: rows, by: [[7, 8], [9]])
    #expect(sums.value.values == [11, 22, 100, 200])
  }
}
