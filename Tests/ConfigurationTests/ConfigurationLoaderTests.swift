import Foundation
import Testing

@testable import Configuration

@Suite struct ConfigurationLoaderTests {
  @Test(arguments: ["", "# nothing\n", "---\n", "{}\n"])
  func emptyFileKeepsTheDefaults(yaml: String) throws {
    #expect(try ConfigurationLoader.load(ExampleConfiguration()) == ExampleConfiguration())
    if yaml == "---\n" {
      #expect(message(yaml) == "FILE:2: the file: expected a section with keys, found nothing")
    } else {
      #expect(try load(yaml) == ExampleConfiguration())
    }
  }

  @Test func fileIsLaidOverTheDefaults() throws {
    let loaded = try load(
      """
      training:
        batchSize: 32
        learningRate: 1e-4  # a string in some YAML readers
        negatives: all
        betas: [1, .5]
      labels: {dog: 2}
      """)
    var expected = ExampleConfiguration()
    expected.training.batchSize = 32
    expected.training.negatives = .all
    expected.training.betas = [1, 0.5]
    expected.labels = ["cat": 1, "dog": 2]
    #expect(loaded == expected)
  }

  @Test func listsAreReplacedAndTheirElementsStartFromTheTemplate() throws {
    let loaded = try load(
      """
      data:
        sources:
        - {path: a.jsonl, weight: 2}
        - limit: 10
        pairs:
        - {image: a.png, caption: "null"}
      """)
    #expect(
      loaded.data.sources == [
        .init(path: "a.jsonl", weight: 2, limit: nil),
        .init(path: "train.jsonl", weight: 1, limit: 10),
      ])
    #expect(loaded.data.pairs == [.init(image: "a.png", caption: "null", note: nil)])
    #expect(try load("data: {sources: []}").data.sources.isEmpty)
  }

  @Test func nullAndOptionalValues() throws {
    var defaults = ExampleConfiguration()
    defaults.checkpoint.keep = 3
    let text = "checkpoint: {keep: null, comment: ~}"
    #expect(try load(bytes: Data(text.utf8), defaults: defaults).checkpoint.keep == nil)
    let given = try load("checkpoint: {keep: 5, comment: hello, mirror: {compresses: true}}")
    #expect(given.checkpoint.keep == 5)
    #expect(given.checkpoint.comment == "hello")
    #expect(given.checkpoint.mirror == .init(folder: "mirror", compresses: true))
  }

  @Test func overridesComeLastAndInOrder() throws {
    let loaded = try load(
      "training: {batchSize: 32, seed: 1}",
      overrides: [
        "training.batchSize=64", "training.batchSize=65", "training.learningRate=5E-5",
        "training.betas=[0.5, 0.6]", "name=a=b", "checkpoint.keep=2", "checkpoint.every= 7 ",
        "data.sources=[{path: x}]", "checkpoint.mirror.folder=m", "training.shuffles=false",
      ])
    #expect(loaded.training.batchSize == 65)
    #expect(loaded.training.seed == 1)
    #expect(loaded.training.learningRate == 5e-5)
    #expect(loaded.training.betas == [0.5, 0.6])
    #expect(loaded.training.shuffles == false)
    #expect(loaded.name == "a=b")
    #expect(loaded.checkpoint.keep == 2)
    #expect(loaded.checkpoint.every == 7)
    #expect(loaded.checkpoint.mirror?.folder == "m")
    #expect(loaded.data.sources == [.init(path: "x")])
    #expect(
      try load("checkpoint: {keep: 1}", overrides: ["checkpoint.keep="]).checkpoint.keep == nil)
  }

  @Test func resolvedYAMLReadsBackAsTheSameValue() throws {
    var configuration = ExampleConfiguration()
    configuration.training = .init(
      batchSize: -3, learningRate: 0.1 + 0.2, dropout: 3.4028235e38, shuffles: false,
      seed: .max, negatives: .all,
      betas: [
        0, -0.0, 1e-4, 1 / 3, .infinity, -.infinity, 2.2250738585072014e-308,
        1.7976931348623157e308, 1e16,
      ])
    configuration.checkpoint = .init(every: .min, keep: 4, comment: "~", mirror: .init())
    configuration.data.pairs = [
      "", "null", "true", "12", "1e-4", " a ", "a: b", "a #b", "*x", "&x", "!x", "- a", "[", "'",
      "\"", "é\u{1F600}", "a\nb\n", "\n", "\t", "\0\u{7}\u{85}", "%", "@", "no", "0x1f", ".inf",
      String(repeating: "long words ", count: 40), "C:\\a", "?", "=", "<<", "2024-01-01",
    ].map { .init(image: $0, caption: "é", note: $0) }
    configuration.labels = ["": 1, "a b": 2, "null": 3, "1": 4, "x: y": 5, "cat": 1]
    let yaml = try ConfigurationLoader.yaml(configuration)
    #expect(try load(yaml) == configuration)
  }

  @Test func resolvedYAMLIsReadable() throws {
    var configuration = ExampleConfiguration()
    configuration.name = "yes"
    #expect(
      try ConfigurationLoader.yaml(configuration) == """
        name: "yes"
        training:
          batchSize: 8
          learningRate: 0.0001
          dropout: 0.1
          shuffles: true
          seed: 42
          negatives: draw
          betas: [0.9, 0.98]
        checkpoint:
          every: 100
          keep: null
          mirror: null
        data:
          sources:
          - path: train.jsonl
            weight: 1.0
            limit: null
          skipped: 0.5
          negatives: null
          pairs: []
        labels:
          cat: 1.0

        """)
  }
}
