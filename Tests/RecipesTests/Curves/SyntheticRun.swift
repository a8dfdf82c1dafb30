import Foundation
import TestSupport

@testable import Recipes
@testable import Reporting
@testable import Training

/// A run's folder with a log made up of curves.
struct SyntheticRun {
  let folder: TemporaryFolder
  let name: String
  var path: String { folder.path(name) }

  /// - Parameters:
  ///   - train: By metric, a value for each logged point; nil is what was not finite.
  ///   - heldOut: By metric, values by step.
  init(
    in folder: TemporaryFolder? = nil, name: String = "run", every: Int = 10,
    train: [String: [Double?]], heldOut: [String: [Int: Double]] = [:], more: [String] = []
  ) throws {
    self.folder = try folder ?? TemporaryFolder()
    self.name = name
    var lines: [String] = []
    for point in 0..<(train.values.map(\.count).max() ?? 0) {
      let numbers = train.filter { point < $0.value.count }.map { key, values in
        "\"\(key)\":" + (values[point].map { String(format: "%.7g", $0) } ?? "null")
      }
      lines.append(Self.line((point + 1) * every, "train", numbers))
    }
    for (metric, values) in heldOut {
      for (step, value) in values {
        lines.append(Self.line(step, "validation", ["\"\(metric)\":\(value)"]))
      }
    }
    try FileManager.default.createDirectory(
      at: self.folder.url.appendingPathComponent(name), withIntermediateDirectories: true)
    try self.folder.write(
      (lines + more).map { $0 + "\n" }.joined(), to: name + "/metrics.jsonl")
  }

  private static func line(_ step: Int, _ kind: String, _ numbers: [String]) -> String {
    "{\"step\":\(step),\"kind\":\"\(kind)\"," + numbers.joined(separator: ",") + "}"
  }

  func curves(_ recipe: RunRecipe?) throws -> RunCurves {
    RunCurves(metrics: try RecordedMetrics(folder: path), recipe: recipe)
  }

  func findings(_ recipe: RunRecipe?) throws -> [Finding] {
    try RunDiagnosis(try curves(recipe)).findings
  }

  /// The demo's sizes.
  static func recipe(
    stage: String = StageOneRecipe.name, steps: Int = 300, warmup: Int = 40, seed: UInt64 = 1,
    vocabulary: Int? = 30_523, smoothing: Double = 0.1
  ) -> RunRecipe {
    var recipe = RunRecipe(stage: stage, seed: seed)
    recipe.training.steps = steps
    recipe.training.batchSize = 64
    recipe.training.clipNorm = 1
    recipe.training.learningRate.warmupSteps = warmup
    recipe.vocabularySize = vocabulary
    (recipe.contrastSmoothing, recipe.generationSmoothing) = (smoothing, smoothing)
    recipe.settings = ["stage": stage, "batchSize": "64"]
    return recipe
  }

  /// `count` values on a straight line.
  static func line(_ first: Double, _ last: Double, _ count: Int = 30) -> [Double?] {
    (0..<count).map { first + (last - first) * Double($0) / Double(max(1, count - 1)) }
  }
}

extension [Finding] {
  func first(_ kind: Finding.Kind) -> Finding? { first { $0.kind == kind } }
  var kinds: [Finding.Kind] { map(\.kind) }
}
