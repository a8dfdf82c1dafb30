import Configuration
import Foundation
import TestSupport

@testable import Recipes

/// The smallest stage-1 run: real images of the demo, an encoder and a Q-Former of a few thousand
/// numbers, everything random on (dropout, crops, flips, negatives, drawn order).
struct TinyRun {
  let folder: TemporaryFolder
  let recipe: URL

  /// - Parameter extra: Further YAML of the top level.
  init(steps: Int = 40, vision: String = TinyRun.newEncoder, extra: String = "") throws {
    folder = try TemporaryFolder()
    recipe = try folder.write(
      """
      seed: 3
      model:
        qFormer: {width: 16, layers: 2, heads: 2, feedForwardWidth: 32, queries: 4,
          maximumPositions: 40}
        embeddingWidth: 8
      vision: \(vision)
      data:
        train: {path: Data/demo/heldout.jsonl}
        workers: 1
      training:
        steps: \(steps)
        batchSize: 8
        accumulation: 2
        clipNorm: 1
        learningRate: {warmupSteps: \(min(5, steps - 1))}
      validation: {every: 0}
      checkpoint: {every: 5, keep: 100}
      log: {every: 1}
      \(extra)
      """, to: "recipe.yaml")
  }

  static let newEncoder =
    "{path: null, frozen: false, imageSize: 32, "
    + "new: {width: 16, layers: 1, heads: 2, patchSize: 16, imageSize: 32}}"

  func output(_ name: String) -> String { folder.url.appendingPathComponent(name).path }

  func arguments(_ output: String, _ more: [String] = []) -> [String] {
    ["stage1", "--config", recipe.path, "--output", self.output(output)] + more
  }

  func configuration(_ overrides: [String] = []) throws -> StageOneRecipe.Configuration {
    try ConfigurationLoader.load(
      StageOneRecipe.Configuration(), file: recipe, overrides: overrides)
  }

  func checkpoint(_ output: String, step: Int) -> String {
    self.output(output) + String(format: "/step-%08d.h5", step)
  }

  /// Begins a run and kills it at a step.
  func kill(
    _ output: String, _ more: [String] = [], at step: String, delay: UInt32 = 0
  ) throws -> BuiltTool.Result {
    try BuiltTool.kill(arguments(output, more), at: "step \(step)", delay: delay) {
      try FileManager.default.removeItem(atPath: self.output(output))
    }
  }

  /// What `h5diff` says of one group of two checkpoints; empty if they are equal.
  static func difference(_ first: String, _ second: String, group: String) throws -> String {
    let result = try BuiltTool.run(
      [first, second, group, group], program: URL(fileURLWithPath: "/usr/bin/h5diff"))
    return result.status == 0 ? "" : "\(result.status): \(result.output)\(result.errors)"
  }
}
