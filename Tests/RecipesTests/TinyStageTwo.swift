import Configuration
import Foundation
import TestSupport

@testable import Recipes

/// The smallest stage-2 run: a new Q-Former over the demo's encoder before the demo's language model.
struct TinyStageTwo {
  let folder: TemporaryFolder
  let recipe: URL
  let family: String

  init(family: String) throws {
    self.family = family
    folder = try TemporaryFolder()
    recipe = try folder.write(
      """
      seed: 3
      output: \(folder.path("a"))
      model:
        qFormer: {width: 16, layers: 2, heads: 2, feedForwardWidth: 32, queries: 4,
          maximumPositions: 40}
      vision: {path: Data/demo/encoder, imageSize: 48}
      stage1: {checkpoint: none}
      llm: {family: \(family), path: "Data/demo/{llm}"}
      data:
        train: {path: Data/demo/heldout.jsonl}
        workers: 1
      training:
        steps: 30
        batchSize: 4
        clipNorm: 1
        learningRate: {warmupSteps: 5, peak: 1.0e-3}
      validation: {every: 0}
      checkpoint: {every: 5, keep: 100}
      log: {every: 1, tensorBoard: false}
      """, to: "recipe.yaml")
  }

  func output(_ name: String) -> String { folder.path(name) }

  func arguments(_ output: String, _ more: [String] = []) -> [String] {
    ["stage2", "--config", recipe.path, "--output", self.output(output)] + more
  }

  func configuration() throws -> StageTwoRecipe.Configuration {
    try ConfigurationLoader.load(StageTwoRecipe.Configuration(), file: recipe, overrides: [])
  }

  func checkpoint(_ output: String, step: Int) -> String {
    self.output(output) + String(format: "/step-%08d.h5", step)
  }

  /// Images that ship with the repository.
  func images(_ count: Int) throws -> [String] {
    let source = Goldens.repository.appendingPathComponent("Data/demo/images")
    return try FileManager.default.contentsOfDirectory(atPath: source.path).sorted().prefix(count)
      .map { source.appendingPathComponent($0).path }
  }

  /// A stage-1 checkpoint on the same encoder; its path.
  func stageOne(width: Int) throws -> String {
    let recipe = try folder.write(
      """
      seed: 3
      model:
        qFormer: {width: \(width), layers: 2, heads: 2, feedForwardWidth: 32, queries: 4,
          maximumPositions: 40}
        embeddingWidth: 8
      vision: {path: Data/demo/encoder, imageSize: 48}
      data:
        train: {path: Data/demo/heldout.jsonl}
        workers: 1
      training: {steps: 1, batchSize: 4, learningRate: {warmupSteps: 1}}
      validation: {every: 0}
      log: {tensorBoard: false}
      """, to: "stage1.yaml")
    let result = try BuiltTool.run(
      ["stage1", "--config", recipe.path, "--output", output("stage1")])
    guard result.status == 0 else { throw StageOneFailed(errors: result.errors) }
    return output("stage1") + "/step-00000001.h5"
  }

  private struct StageOneFailed: Error { let errors: String }
}
