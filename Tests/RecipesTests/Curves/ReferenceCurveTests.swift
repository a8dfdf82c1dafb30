import Foundation
import TestSupport
import Testing

@testable import Recipes

/// The demo's first 60 steps, with a seed of which no reference knows, go as its references go.
///
/// Where training is meant to go another way now, or the demo's data and recipes have changed,
/// Scripts/reference-curves.sh writes the references anew.
@Suite struct ReferenceCurveTests {
  private static let seed = 77
  private static let names = ["demo-stage1", "demo-stage2-opt"]
  private static let files = names.map {
    Goldens.repository.appendingPathComponent("Benchmarks/reference/\($0).json").path
  }
  private static var areThere: Bool {
    files.allSatisfy(FileManager.default.fileExists(atPath:))
  }

  /// As in Scripts/reference-curves.sh.
  private static let settings = [
    "--max-steps", "60", "--set", "seed=\(seed)", "--set", "log.every=5",
    "--set", "log.tensorBoard=false", "--set", "validation.every=0", "--set", "checkpoint.every=0",
  ]

  @Test(.enabled(if: areThere, "Benchmarks/reference is not made; see Scripts/reference-curves.sh"))
  func theDemoGoesAsItsReferences() throws {
    let folder = try TemporaryFolder()
    let outputs = [folder.path("stage1"), folder.path("stage2")]
    let first = ["stage1", "--config", "Configs/demo/stage1.yaml", "--output", outputs[0]]
    let second = [
      "stage2", "--llm", "opt", "--config", "Configs/demo/stage2.yaml", "--output", outputs[1],
      "--set", "stage1.checkpoint=\(outputs[0])",
    ]
    for (arguments, (output, file)) in zip([first, second], zip(outputs, Self.files)) {
      let reference = try CurveReference(file: file)
      #expect(reference.seeds.count >= 5 && !reference.seeds.contains(UInt64(Self.seed)))
      let trained = try BuiltTool.run(arguments + Self.settings)
      try #require(trained.status == 0, "\(trained.errors)")
      let judged = try BuiltTool.run(["doctor", "--run", output, "--reference", file])
      let lines = judged.output.split(separator: "\n")
      #expect(
        lines.contains("usual    the run agrees with \(reference.name)"), "\(judged.output)")
    }
  }
}
