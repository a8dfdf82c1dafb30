import Autograd
import BLIP2
import Checkpointing
import Configuration
import Datasets
import Foundation
import Layers
import Tensors
import TestSupport
import Testing

@testable import Training

/// The loop itself, around a task whose losses the test chooses.
@Suite struct TrainerTests {
  /// One parameter; the loss of the listed steps is not a number.
  private struct ChosenTask: TrainingTask {
    let parameter = Parameter(shape: [1], decays: false) { Tensor([1], shape: [1]) }
    var badSteps: Set<Int> = []

    func addGradients(
      of batch: Batch, step: Int, firstIndex: Int, weight: Float, to gradients: Gradients
    ) -> [(name: String, value: Double)] {
      let loss = (parameter.variable * (badSteps.contains(step) ? .nan : 1)).sum()
      gradients.addBackward(from: loss, weight: weight)
      return [("loss", Double(loss.value.scalar))]
    }

    func validate() -> ValidationReport? { nil }
  }

  private func trainer(
    _ task: ChosenTask, _ run: TinyRun, steps: Int, stopAfter: Int = 3
  ) throws -> Trainer {
    var configuration = try run.configuration([
      "training.steps=\(steps)", "training.stopAfterSkippedSteps=\(stopAfter)",
    ])
    configuration.output = run.output("a")
    let url = URL(fileURLWithPath: configuration.output, isDirectory: true)
    let folder = try CheckpointFolder(creating: url)
    let data = try RunData(configuration.data, seed: 1)
    let dataset = try #require(data.train)
    let tower = try VisionTower(configuration.vision, seed: 1)
    let identity = RunIdentity(kind: "test", configuration: "", seed: 1, fingerprints: [:])
    let optimizer = AdamW(
      configuration.training.adamW,
      parameters: [NamedParameter(name: "group.value", parameter: task.parameter)])
    let progress = ProgressReporter(totalSteps: steps, logEvery: 1, isTerminal: false)
    return Trainer(
      task: task, training: configuration.training,
      sections: .init(
        validationEvery: configuration.validation.every, log: configuration.log),
      loader: try data.trainingLoader(
        dataset, tower: tower, batchSize: 8, startingAt: LoaderPosition()),
      optimizer: optimizer,
      saving: CheckpointSaving(
        TrainingCheckpoints(folder: folder, identity: identity), configuration.checkpoint,
        optimizer, lock: try folder.lock(), step: 0, say: progress.say),
      metrics: try MetricsLog(folder: url, continuingFrom: 0), tensorBoard: nil,
      progress: progress, state: TrainingState())
  }

  @Test func stepsThatAreNotFiniteAreSkippedAndCounted() throws {
    let run = try TinyRun()
    let task = ChosenTask(badSteps: [1, 2, 4])
    let trainer = try trainer(task, run, steps: 6)
    #expect(try trainer.run(maximumSteps: nil) == .finished)
    #expect(trainer.state.step == 6)
    #expect(trainer.state.skippedSteps == 3)
    #expect(task.parameter.value.scalar.isFinite)
    let file = try CheckpointFile.open(URL(fileURLWithPath: run.checkpoint("a", step: 6)))
    #expect(file.metadata.counters["updates"] == 3)
  }

  /// A run whose last steps did nothing has not ended well, though its state is worth keeping.
  @Test func skippedStepsAtTheEndAreAnError() throws {
    let run = try TinyRun()
    let trainer = try trainer(ChosenTask(badSteps: [4, 5]), run, steps: 6)
    let error = #expect(throws: RunError.self) { try trainer.run(maximumSteps: nil) }
    #expect(error?.description.contains("2 steps in a row, up to step 6") == true)
    let file = try CheckpointFile.open(URL(fileURLWithPath: run.checkpoint("a", step: 6)))
    #expect(file.metadata.counters["updates"] == 4)
  }

  @Test func severalInARowEndTheRunWithADiagnosis() throws {
    let run = try TinyRun()
    let trainer = try trainer(ChosenTask(badSteps: Set(2...9)), run, steps: 10)
    let error = #expect(throws: RunError.self) { try trainer.run(maximumSteps: nil) }
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
      rateScale: { $0.hasPrefix("vision.") ? 0.1 : 1 })
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
      let name = recipe.lastPathComponent
      if name.hasPrefix("stage2") {
        try ConfigurationLoader.load(StageTwoRunConfiguration(), file: recipe).check()
      } else if ["opt.yaml", "t5.yaml"].contains(name) {
        try ConfigurationLoader.load(LanguageModelTrainingConfiguration(), file: recipe).check()
      } else {
        try ConfigurationLoader.load(StageOneRunConfiguration(), file: recipe).check()
      }
    }
  }
}
