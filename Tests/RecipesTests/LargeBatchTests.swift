import Configuration
import Foundation
import TestSupport
import Testing

@testable import Recipes

/// Batches larger than memory, as a run has them.
@Suite struct LargeBatchTests {
  /// The losses of each step of a run, by name.
  private func losses(_ folder: String) throws -> [[String: Double]] {
    try String(contentsOfFile: folder + "/metrics.jsonl", encoding: .utf8)
      .split(separator: "\n").map { line in
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return ["itc", "itm", "itg", "total", "gradientNorm"].reduce(into: [:]) {
          $0[$1] = object?[$1] as? Double
        }
      }
  }

  /// Encoder trained, dropout on, two micro-batches of 8 in a step: the same losses, step by step.
  @Test(arguments: [
    ["training.chunkSize=3"], ["training.chunkSize=5", "training.recomputeActivations=true"],
  ])
  func aRunLearnsTheSame(_ settings: [String]) throws {
    let run = try TinyRun(steps: 6)
    #expect(try BuiltTool.run(run.arguments("whole")).status == 0)
    let changed = try BuiltTool.run(
      run.arguments("other", settings.flatMap { ["--set", $0] }))
    #expect(changed.status == 0, "\(changed.errors)")
    let (whole, other) = (try losses(run.output("whole")), try losses(run.output("other")))
    #expect(whole.count == 6 && other.count == 6)
    for (step, (found, expected)) in zip(other, whole).enumerated() {
      #expect(expected.count == 5)
      for (name, value) in expected {
        let loss = try #require(found[name])
        #expect(abs(loss - value) <= 1e-3 * value, "step \(step + 1): \(name)")
      }
    }
  }

  /// Recomputation changes no bit of what is trained, in either stage and precision.
  @Test(arguments: ["fp32", "bf16"])
  func recomputationIsTheSameToTheBit(_ precision: String) throws {
    let run = try TinyRun(steps: 5)
    let stageTwo = try TinyStageTwo(family: "opt")
    for (name, recomputes) in [("plain", "false"), ("again", "true")] {
      let settings = [
        "precision=\(precision)", "training.recomputeActivations=\(recomputes)", "training.steps=5",
      ].flatMap { ["--set", $0] }
      for arguments in [run.arguments(name, settings), stageTwo.arguments(name, settings)] {
        let result = try BuiltTool.run(arguments)
        #expect(result.status == 0, "\(result.errors)")
      }
    }
    for group in ["/model", "/optimizer"] {
      let first = try TinyRun.difference(
        run.checkpoint("plain", step: 5), run.checkpoint("again", step: 5), group: group)
      let second = try TinyRun.difference(
        stageTwo.checkpoint("plain", step: 5), stageTwo.checkpoint("again", step: 5), group: group)
      #expect(first.isEmpty && second.isEmpty)
    }
  }

  @Test(arguments: [(0, 8), (9, 8), (-3, 8), (1, 0)])
  func chunksThatDoNotFitAreRefused(_ chunkSize: Int, _ batchSize: Int) throws {
    let run = try TinyRun()
    let configuration = try run.configuration([
      "training.chunkSize=\(chunkSize)", "training.batchSize=\(batchSize)",
    ])
    let error = #expect(throws: ConfigurationError.self) { try configuration.check() }
    let expected =
      batchSize == 0
      ? "training.batchSize"
      : chunkSize < 1
        ? "training.chunkSize: expected at least 1, "
        : "training.chunkSize: expected 1 to training.batchSize, 8, found"
    #expect(try #require(error).description.contains(expected), "\(String(describing: error))")
  }

  @Test func chunksThatFit() throws {
    let run = try TinyRun()
    for chunkSize in ["null", "1", "8"] {
      try run.configuration(["training.chunkSize=\(chunkSize)"]).check()
    }
  }

  @Test func stageTwoHasNoChunks() throws {
    let run = try TinyStageTwo(family: "opt")
    let result = try BuiltTool.run(run.arguments("a", ["--set", "training.chunkSize=2"]))
    #expect(result.status == 1)
    #expect(result.errors.contains("training.chunkSize"), "\(result.errors)")
    #expect(result.errors.contains("training.accumulation"), "\(result.errors)")
  }
}
