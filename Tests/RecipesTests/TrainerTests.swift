import Autograd
import BLIP2
import Checkpointing
import Configuration
import Datasets
import Foundation
import Layers
import Objectives
import Tensors
import TestSupport
import Testing

@testable import Recipes
@testable import Reporting
@testable import Training

/// The loop itself, around a task whose losses the test chooses.
@Suite struct TrainerTests {
  /// One parameter; the loss of the listed steps is not a number.
  private struct ChosenLosses: Recipe, Module {
    static let name = "test"
    static let ownSections: [String] = []
    static let filesAdvice = ""
    static var starter: (configuration: StageOneRecipe.Configuration, keys: [String: String]) {
      (.init(), [:])
    }

    let configuration: StageOneRecipe.Configuration
    let parameter = Parameter(shape: [1], decays: false) { Tensor([1], shape: [1]) }
    var badSteps: Set<Int> = []

    init(_ configuration: StageOneRecipe.Configuration, reading parts: Set<DataPart> = []) {
      self.configuration = configuration
    }

    var members: [Member] { [.module("group", Group(members: [.parameter("value", parameter)]))] }
    var model: RecipeModel { RecipeModel(bridge: self) }
    var reckoning: Reckoning { Reckoning(configuration, [], activations: 0) }
    func fingerprints() -> [String: String] { [:] }
    func initialise(_ progress: ProgressReporter) {}
    func describe(_ progress: ProgressReporter) {}

    func batches(
      from position: LoaderPosition, share: LoaderShare, _ progress: ProgressReporter
    ) throws -> any BatchStream {
      let (tower, data) = try configuration.opened(reading: [.training])
      return try data.trainingLoader(
        #require(data.train), tower: tower, encode: { _ in [] }, batchSize: 8, startingAt: position)
    }

    func addGradients(
      of batch: Batch, step: Int, firstIndex: Int, weight: Float, to gradients: Gradients,
      with communicator: some Communicator
    ) -> [(name: String, value: Double)] {
      let loss = (parameter.variable * (badSteps.contains(step) ? .nan : 1)).sum()
      gradients.addBackward(from: loss, weight: weight)
      return [("loss", Double(loss.value.scalar))]
    }

    func validate() -> ValidationReport? { nil }
  }

  private struct Group: Module {
    let members: [Member]
  }

  private func loop(
    _ badSteps: Set<Int>, _ run: TinyRun, steps: Int, stopAfter: Int = 3
  ) throws -> (loop: TrainingLoop<ChosenLosses>, parameter: Parameter) {
    var configuration = try run.configuration([
      "training.steps=\(steps)", "training.stopAfterSkippedSteps=\(stopAfter)",
    ])
    configuration.output = run.output("a")
    var recipe = ChosenLosses(configuration)
    recipe.badSteps = badSteps
    let url = URL(fileURLWithPath: configuration.output, isDirectory: true)
    let folder = try CheckpointFolder(creating: url)
    let identity = RunIdentity(kind: "test", configuration: "", seed: 1, fingerprints: [:])
    let optimizer = AdamW(
      configuration.training.adamW, parameters: recipe.model.trainedParameters)
    let progress = ProgressReporter(totalSteps: steps, isTerminal: false)
    let loop = TrainingLoop(
      recipe, batches: try recipe.batches(from: LoaderPosition(), share: .whole, progress),
      optimizer: optimizer,
      saving: CheckpointSaving(
        TrainingCheckpoints(folder: folder, identity: identity), configuration.checkpoint,
        lock: try folder.lock(), step: 0, say: progress.say),
      log: RunLog(
        metrics: try MetricsLog(folder: url, continuingFrom: 0), tensorBoard: nil,
        progress: progress), progress: progress, state: TrainingState())
    return (loop, recipe.parameter)
  }

  @Test func stepsThatAreNotFiniteAreSkippedAndCounted() throws {
    let run = try TinyRun()
    let (loop, parameter) = try loop([1, 2, 4], run, steps: 6)
    #expect(try loop.run(maximumSteps: nil) == .finished)
    #expect(loop.state.step == 6)
    #expect(loop.state.skippedSteps == 3)
    #expect(parameter.value.scalar.isFinite)
    let file = try CheckpointFile.open(URL(fileURLWithPath: run.checkpoint("a", step: 6)))
    #expect(file.metadata.counters["updates"] == 3)
  }

  /// A run whose last steps did nothing has not ended well, though its state is worth keeping.
  @Test func skippedStepsAtTheEndAreAnError() throws {
    let run = try TinyRun()
    let loop = try loop([4, 5], run, steps: 6).loop
    let error = #expect(throws: RunError.self) { try loop.run(maximumSteps: nil) }
    #expect(error?.description.contains("2 steps in a row, up to step 6") == true)
    let file = try CheckpointFile.open(URL(fileURLWithPath: run.checkpoint("a", step: 6)))
    #expect(file.metadata.counters["updates"] == 4)
  }

  @Test func severalInARowEndTheRunWithADiagnosis() throws {
    let run = try TinyRun()
    let loop = try loop(Set(2...9), run, steps: 10).loop
    let error = #expect(throws: RunError.self) { try loop.run(maximumSteps: nil) }
    #expect(error?.description.contains("3 steps in a row, up to step 5") == true)
    #expect(error?.description.contains("group.value") == true)
  }

  @Test func metricsKeepNoLaterStepsAndNoHalfLine() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      """
      {"step":1,"kind":"train","loss":1}
      {"step":2,"kind":"train","loss":1}
      {"step":3,"kind":"train","loss":1}
      {"step":4,"kin
      """, to: "metrics.jsonl")
    let log = try MetricsLog(folder: folder.url, continuingFrom: 2)
    log.write(step: 3, kind: "train", [("loss", 0.5), ("bad", .nan)])
    let lines = try String(contentsOfFile: folder.path("metrics.jsonl"), encoding: .utf8)
      .split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines.last == #"{"step":3,"kind":"train","loss":0.5,"bad":null}"#)
  }

  @Test func aValidationThatComesAgainHasOneLine() throws {
    let folder = try TemporaryFolder()
    let text = """
      {"step":2,"kind":"validation","loss":1}
      {"step":4,"kind":"train","loss":1}
      {"step":4,"kind":"validation","loss":1}
      """
    for (isValidated, kept) in [(true, 3), (false, 2)] {
      try folder.write(text, to: "metrics.jsonl")
      _ = try MetricsLog(folder: folder.url, continuingFrom: 4, isValidated: isValidated)
      let lines = try String(contentsOfFile: folder.path("metrics.jsonl"), encoding: .utf8)
      #expect(lines.split(separator: "\n").count == kept)
    }
  }

  /// Decay acts on matrices and query tokens, not on biases, norms and the temperature.
  @Test func decayGroups() throws {
    var configuration = StageOneConfiguration()
    configuration.qFormer.layers = 2
    let model = StageOneModel(configuration, visionWidth: 32, seed: 0)
    for entry in model.namedParameters {
      #expect(entry.parameter.decays == (entry.parameter.shape.count >= 2), "\(entry.name)")
    }
    let temperature = try #require(model.namedParameters.first { $0.name == "temperature" })
    #expect(!temperature.parameter.decays)
  }

  /// The first update of AdamW moves by the learning rate, whatever the gradient.
  @Test func aScaleMultipliesTheLearningRate() {
    let parameters = ["a", "vision.b"].map { name in
      NamedParameter(
        name: name, parameter: Parameter(shape: [1], decays: false) { Tensor([1], shape: [1]) })
    }
    let optimizer = AdamW(
      AdamWConfiguration(), parameters: parameters,
      rateScale: { $0 === parameters[1].parameter ? 0.1 : 1 })
    let gradients = Gradients()
    for entry in parameters {
      entry.parameter.setGradient(Tensor([3], shape: [1]), in: gradients)
    }
    optimizer.update(gradients, rate: 0.5)
    #expect(abs(parameters[0].parameter.value.scalar - 0.5) < 1e-5)
    #expect(abs(parameters[1].parameter.value.scalar - 0.95) < 1e-5)
  }

  @Test func durations() {
    #expect(ProgressReporter.duration(12) == "12 s")
    #expect(ProgressReporter.duration(200) == "3 min 20 s")
    #expect(ProgressReporter.duration(3720) == "1 h 02 min")
  }

  @Test func shippedRecipesAreValid() throws {
    let folder = Goldens.repository.appendingPathComponent("Configs")
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    let recipes = try #require(files).compactMap { $0 as? URL }.filter {
      $0.pathExtension == "yaml"
    }
    #expect(recipes.count >= 4)
    for recipe in recipes {
      let (kind, reason) = try Recipes.of(file: recipe)
      #expect(reason == nil, "\(recipe.path): \(reason ?? "")")
      try check(kind, recipe)
    }
  }

  private func check<R: Recipe>(_ kind: R.Type, _ file: URL) throws {
    var notes: [String] = []
    try kind.load(file) { notes.append($0) }.check()
    #expect(notes == [], "\(file.path)")
  }

  /// What `recipe NAME --all` prints is a recipe with the defaults, and has every key below its meaning.
  @Test func referencesAreRecipes() throws {
    let folder = try TemporaryFolder()
    for recipe in Recipes.all {
      let text = try recipe.reference()
      try requireDefaults(recipe, folder.write(text, to: "\(recipe.name).yaml"))
      let lines = text.split(separator: "\n")
      for (above, line) in zip(lines, lines.dropFirst()) where line.contains(#/^ *[a-zA-Z0-9]+:/#) {
        #expect(above.first { $0 != " " } == "#", "\(recipe.name): \(line)")
      }
      let trimmed = lines.map { $0.trimmingCharacters(in: .init(charactersIn: " #")) }
      for key in try names(of: recipe) {
        #expect(trimmed.contains { $0.hasPrefix("\(key):") }, "\(recipe.name): \(key)")
      }
    }
  }

  /// The names of a recipe's keys, of whatever section.
  private func names<R: Recipe>(of kind: R.Type) throws -> Set<Substring> {
    Set(
      try ConfigurationLoader.yaml(R.Configuration()).split(separator: "\n").compactMap { line in
        line.firstMatch(of: #/^ *([a-zA-Z0-9]+):/#)?.1
      })
  }

  /// What `recipe NAME` prints is a recipe that could be trained, were its files there.
  @Test func shortReferencesAreRecipes() throws {
    let folder = try TemporaryFolder()
    for recipe in Recipes.all {
      let text = try recipe.shortReference()
      #expect(text.split(separator: "\n").count < 80, "\(recipe.name)")
      try requireStarter(recipe, folder.write(text, to: "\(recipe.name).yaml"), text)
    }
  }

  private func requireStarter<R: Recipe>(_ kind: R.Type, _ file: URL, _ text: String) throws {
    #expect(try Recipes.of(file: file).reason == nil)
    let loaded = try ConfigurationLoader.load(R.Configuration(), file: file)
    #expect(
      try ConfigurationLoader.yaml(loaded) == ConfigurationLoader.yaml(kind.starter.configuration))
    try loaded.check()
    for key in kind.starter.keys.keys {
      let name = key.split(separator: ".").last ?? ""
      #expect(text.contains("\(name): "), "\(R.name): \(key)")
    }
  }

  /// What is taken from the run that one begins from is no value to be repeated.
  @Test func referencesCommentOutWhatStageOneDecides() throws {
    let lines = try StageTwoRecipe.reference().split(separator: "\n")
    #expect(lines.contains("  # qFormer:") && lines.contains("  #   width: 768"))
    #expect(lines.contains("  objective:"))
  }

  private func requireDefaults<R: Recipe>(_ kind: R.Type, _ file: URL) throws {
    let loaded = try ConfigurationLoader.load(R.Configuration(), file: file)
    #expect(
      try ConfigurationLoader.yaml(loaded) == ConfigurationLoader.yaml(R.Configuration()))
  }
}
