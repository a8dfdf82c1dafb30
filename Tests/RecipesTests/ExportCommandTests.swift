import Foundation
import TestSupport
import Testing
import WeightFiles

@testable import Recipes

/// `blip2-train export` as a person calls it.
@Suite struct ExportCommandTests {
  @Test func aStageOneRun() throws {
    let run = try TinyRun(steps: 2)
    #expect(try BuiltTool.run(run.arguments("a")).status == 0)
    func export(_ name: String, _ more: [String]) throws -> BuiltTool.Result {
      try BuiltTool.run(["export", run.output("a"), "--output", run.output(name)] + more)
    }
    func files(_ name: String) throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: run.output(name)).sorted()
    }
    // A new DINOv2 has a norm after its last block.
    let refused = try export("whole", [])
    #expect(refused.status == 1 && refused.errors.contains("vision.finalNorm"))
    #expect(refused.errors.contains("--parts qformer"), "\(refused.errors)")
    #expect(!FileManager.default.fileExists(atPath: run.output("whole")))

    let part = try export(
      "part", ["--parts", "qformer", "--dtype", "bf16", "--max-shard-size", "20KB"])
    #expect(part.status == 0 && part.output == "wrote \(run.output("part"))\n", "\(part.errors)")
    #expect(part.errors.contains("no place for languageHead, temperature"), "\(part.errors)")
    #expect(try files("part").contains("model.safetensors.index.json"))
    let weights = try WeightFolder(URL(fileURLWithPath: run.output("part"), isDirectory: true))
    #expect(try weights.tensor(named: "query_tokens").elementType == .bfloat16)

    let authors = try export("authors", ["--format", "lavis"])
    #expect(authors.status == 0 && authors.errors.contains("left out"), "\(authors.errors)")
    #expect(try files("authors") == ["README.md", "checkpoint.pth", "checkpoint.safetensors"])
    let card = try String(contentsOfFile: run.output("authors") + "/README.md", encoding: .utf8)
    for part in [
      "library_name: lavis", "for 2 steps", "Data/demo/heldout.jsonl", "| image encoder | trained",
      "## Recipe",
    ] { #expect(card.contains(part), "\(part)") }
  }

  @Test func wrongUsage() throws {
    for option in [["--max-shard-size", "5XB"], ["--dtype", "int8"], ["--format", "onnx"]] {
      let result = try BuiltTool.run(["export", "runs/a", "--output", "x"] + option)
      #expect(result.status == 64, "\(option)")
    }
  }
}
