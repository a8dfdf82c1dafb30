import Testing

@testable import Configuration

@Suite struct ConfigurationErrorTests {
  static let trainingKeys =
    "batchSize, learningRate, dropout, shuffles, seed, negatives, betas"

  @Test(arguments: [
    (
      "name: a\ntrainin:\n  seed: 1",
      "FILE:2: trainin: unknown key, did you mean training? "
        + "Known keys here: name, training, checkpoint, data, labels"
    ),
    (
      "checkpoint:\n  evry: 3",
      "FILE:2: checkpoint.evry: unknown key, did you mean checkpoint.every? "
        + "Known keys here: every, keep, comment, mirror"
    ),
    (
      "training:\n  batch_size: 3",
      "FILE:2: training.batch_size: unknown key, did you mean training.batchSize? "
        + "Known keys here: \(trainingKeys)"
    ),
    (
      "checkpoint: {learningrate: 3}",
      "FILE:1: checkpoint.learningrate: unknown key, did you mean training.learningRate? "
        + "Known keys here: every, keep, comment, mirror"
    ),
    (
      "training: {zzzzzzzz: 3}",
      "FILE:1: training.zzzzzzzz: unknown key. Known keys here: \(trainingKeys)"
    ),
    (
      "data:\n  sources:\n  - path: a\n  - path: b\n    wieght: 2",
      "FILE:5: data.sources[1].wieght: unknown key, did you mean data.sources[1].weight? "
        + "Known keys here: path, weight, limit"
    ),
    (
      "data: {pairs: [{image: a, caption: b, notes: c}]}",
      "FILE:1: data.pairs[0].notes: unknown key, did you mean data.pairs[0].note? "
        + "Known keys here: image, caption, note"
    ),
    (
      "data:\n  pairs:\n  - image: a\n    captoin: b",
      "FILE:3: data.pairs[0].caption: the key is required, but not given; "
        + "found captoin: is that the key that was meant?"
    ),
    (
      "checkpoint: {mirror: {folders: x}}",
      "FILE:1: checkpoint.mirror.folders: unknown key, did you mean checkpoint.mirror.folder? "
        + "Known keys here: folder, compresses"
    ),
    (
      "training: {<<: {seed: 1}}",
      "FILE:1: training.<<: unknown key. Known keys here: \(trainingKeys)"
    ),
  ])
  func unknownKeys(yaml: String, expected: String) {
    #expect(message(yaml) == expected)
  }

  @Test(arguments: [
    ("batchSize: 1.5", "batchSize: expected a whole number, found 1.5"),
    ("batchSize: 1e3", "batchSize: expected a whole number, found 1e3"),
    ("batchSize: 010", "batchSize: expected a whole number, found 010"),
    ("batchSize: 1_000", "batchSize: expected a whole number, found 1_000"),
    ("batchSize: \"8\"", "batchSize: expected a whole number, found the text \"8\""),
    ("batchSize: [8]", "batchSize: expected a whole number, found a list"),
    ("batchSize:", "batchSize: expected a whole number, found nothing"),
    (
      "batchSize: 99999999999999999999",
      "batchSize: expected a whole number, found 99999999999999999999"
    ),
    ("seed: -1", "seed: expected a whole number from 0 to 18446744073709551615, found -1"),
    ("shuffles: yes", "shuffles: expected true or false, found yes"),
    ("shuffles: 1", "shuffles: expected true or false, found 1"),
    ("learningRate: fast", "learningRate: expected a number, found fast"),
    ("learningRate: 1e999", "learningRate: expected a number, found 1e999"),
    ("learningRate: .nan", "learningRate: expected a number, found .nan"),
    ("learningRate: nan", "learningRate: expected a number, found nan"),
    ("learningRate: 0x1p3", "learningRate: expected a number, found 0x1p3"),
    ("dropout: 1e39", "dropout: expected a number, found 1e39"),
    ("negatives: some", "negatives: expected one of draw, all, found some"),
    ("negatives: {a: b}", "negatives: expected text, found a section with keys"),
    ("betas: 0.9", "betas: expected a list, found 0.9"),
    ("betas: [0.9, x]", "betas[1]: expected a number, found x"),
  ])
  func wrongTypes(line: String, expected: String) {
    #expect(message("name: a\ntraining:\n  \(line)\n") == "FILE:3: training.\(expected)")
    if let (key, value) = line.firstIndex(of: ":").map({
      (line[..<$0], line[line.index(after: $0)...].drop { $0 == " " })
    }) {
      let override = "training.\(key)=\(value)"
      #expect(message("", overrides: [override]) == "--set \(override): training.\(expected)")
    }
  }

  @Test(arguments: [
    ("training: 3", "FILE:1: training: expected a section with keys, found 3"),
    ("training:", "FILE:1: training: expected a section with keys, found nothing"),
    ("name: null", "FILE:1: name: expected text, found nothing"),
    ("- a", "FILE:1: the file: expected a section with keys, found a list"),
    ("a", "FILE:1: the file: expected a section with keys, found a"),
    ("name: a\nname: b", "FILE:1: name: the key is given twice; remove one of the two"),
    ("name: a\n\"name\": b", "FILE:1: name: the key is given twice; remove one of the two"),
    (
      "name: a: b",
      "FILE:1: not valid YAML: mapping values are not allowed in this context"
    ),
    (
      "name: a\n---\nname: b",
      "FILE:2: not valid YAML: expected a single document in the stream but found another document"
    ),
    (
      "name: &x a",
      "FILE:1: anchors and aliases (&name, *name) are not supported in a configuration; "
        + "write repeated values out, and put text that starts with & or * in quotation marks"
    ),
    (
      "name: !!int 3",
      "FILE:1: type tags (tag:yaml.org,2002:int) are not supported in a configuration; "
        + "remove the tag, or put text that starts with ! in quotation marks"
    ),
    (
      "? [a]\n: b",
      "FILE:1: lists and sections as keys are not supported in a configuration; a key is a word"
    ),
  ])
  func badFiles(yaml: String, expected: String) {
    #expect(message(yaml) == expected)
  }

  @Test(arguments: ["", "name", "=3", ".name=3", "training.=3", "training..seed=1"])
  func malformedOverrides(override: String) {
    #expect(
      message("", overrides: [override])
        == "--set \(override): expected section.key=value, as in training.batchSize=32")
  }

  @Test func overridesNameThemselves() {
    #expect(
      message("", overrides: ["checkpoint.evry=3"])
        == "--set checkpoint.evry=3: checkpoint.evry: unknown key, did you mean checkpoint.every? "
        + "Known keys here: every, keep, comment, mirror")
    #expect(message("", overrides: ["training.betas=[1"]).hasPrefix("--set training.betas=[1: not"))
    #expect(
      message("", overrides: ["name.first=a"])
        == "--set name.first=a: name: expected text, found a section with keys")
  }

  @Test func invalidValueNamesFieldExpectationAndAdvice() {
    let error = ConfigurationError.invalidValue(
      field: "training.batchSize", found: "1", expected: "at least 2",
      advice: "a pair needs a negative")
    #expect(
      error.localizedDescription
        == "training.batchSize: expected at least 2, found 1; a pair needs a negative")
  }

  @Test(arguments: [
    ("", "", 0), ("abc", "", 3), ("", "abc", 3), ("kitten", "sitting", 3), ("evry", "every", 1),
    ("wieght", "weight", 1), ("ab", "ba", 1), ("abc", "abc", 0),
  ])
  func editDistance(first: String, second: String, expected: Int) {
    #expect(KeySuggestion.distance(Array(first), Array(second)) == expected)
  }
}
