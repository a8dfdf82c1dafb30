import Foundation
import TestSupport
import Testing

@testable import Training

/// Training in bfloat16 follows training in float32.
@Suite struct PrecisionTests {
  /// The total loss of each step of a run.
  private func losses(_ folder: String) throws -> [Double] {
    try String(contentsOfFile: folder + "/metrics.jsonl", encoding: .utf8)
      .split(separator: "\n").compactMap { line in
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return object?["kind"] as? String == "train" ? object?["total"] as? Double : nil
      }
  }

  private func compare(_ float32: [Double], _ bfloat16: [Double]) {
    #expect(float32.count == 50 && bfloat16.count == 50)
    for (step, pair) in zip(float32, bfloat16).enumerated() {
      #expect(abs(pair.0 - pair.1) <= 0.01 * pair.0, "step \(step + 1): \(pair)")
    }
    // The test would see nothing if the precision were not obeyed.
    #expect(float32 != bfloat16)
  }

  @Test func stageOneStaysWithinAHundredth() throws {
    let run = try TinyRun(steps: 50)
    for precision in ["fp32", "bf16"] {
      let result = try BuiltTool.run(
        run.arguments(precision, ["--set", "precision=\(precision)"]))
      #expect(result.status == 0, "\(result.errors)")
    }
    try compare(losses(run.output("fp32")), losses(run.output("bf16")))
  }

  @Test(arguments: ["opt", "t5"])
  func stageTwoStaysWithinAHundredth(_ family: String) throws {
    let run = try TinyStageTwo(family: family)
    for precision in ["fp32", "bf16"] {
      let result = try BuiltTool.run(
        run.arguments(
          precision, ["--set", "precision=\(precision)", "--set", "training.steps=50"]))
      #expect(result.status == 0, "\(result.errors)")
    }
    try compare(losses(run.output("fp32")), losses(run.output("bf16")))
  }

  /// Weights that are trained are not rounded to int8.
  @Test(arguments: [
    ("vision.precision=int8", "vision.frozen to true"),
    ("precision=int8", "set vision.precision to int8"),
  ])
  func int8IsForFrozenEncoders(_ setting: String, _ advice: String) throws {
    let run = try TinyRun(steps: 1)
    let result = try BuiltTool.run(run.arguments("a", ["--set", setting]))
    #expect(result.status == 1)
    #expect(result.errors.contains(setting.split(separator: "=")[0] + ": "), "\(result.errors)")
    #expect(result.errors.contains(advice), "\(result.errors)")
  }

  @Test func anUnknownPrecisionIsRefused() throws {
    let run = try TinyRun(steps: 1)
    let result = try BuiltTool.run(run.arguments("a", ["--set", "precision=fp16"]))
    #expect(result.status == 1)
    #expect(result.errors.contains("precision"), "\(result.errors)")
  }
}
