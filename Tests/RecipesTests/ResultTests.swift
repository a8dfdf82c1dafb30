import Foundation
import TestSupport
import Testing

@testable import Recipes

/// What commands hand over to programs and to people.
@Suite struct ResultTests {
  private func object(_ arguments: [String]) throws -> [String: Any] {
    let result = try BuiltTool.run(arguments + ["--json"])
    #expect(result.status == 0, "\(arguments): \(result.errors)")
    let value = try? JSONSerialization.jsonObject(with: Data(result.output.utf8))
    return try #require(value as? [String: Any], "\(arguments): \(result.output)")
  }

  /// With `--json` standard output holds one object and nothing else.
  @Test func eachResultIsAnObject() throws {
    let run = try TinyRun(steps: 2)
    #expect(try BuiltTool.run(run.arguments("a")).status == 0)
    let (checkpoint, image) = (run.output("a"), "Data/demo/images/heldout-000.webp")
    let drawn = try object(["plot", checkpoint, "--output", run.output("a.svg")])
    #expect(drawn["output"] as? String == run.output("a.svg"))
    let exported = try object(
      ["export", checkpoint, "--parts", "vision", "--output", run.output("encoder")])
    #expect(exported["output"] as? String == run.output("encoder"))
    let broken = try run.folder.write("no image", to: "broken.jpg").path
    let embedded = try object([
      "embed", "--checkpoint", checkpoint, "--image", image, broken, "--output",
      run.output("a.jsonl"),
    ])
    #expect(embedded["images"] as? Int == 1 && embedded["skipped"] as? Int == 1, "\(embedded)")
    let packed = try object(
      ["data", "pack", "Data/demo/heldout.jsonl", "--output", run.output("shards")])
    #expect(packed["images"] as? Int == 300 && packed["shards"] as? Int == 1, "\(packed)")
    let captioned = try object(["caption", "--checkpoint", checkpoint, "--image", image])
    #expect(captioned["image"] as? String == image)
    // The table of a profile is no part of it.
    let judged = try object([
      "evaluate", "retrieval", "--checkpoint", checkpoint, "--profile", run.output("trace.json"),
      "--set", "data.validation.path=Data/demo/heldout.jsonl", "--set", "validation.rerank=0",
    ])
    #expect(judged["images"] as? Int == 300)
  }

  @Test func benchmarksAreObjects() throws {
    let images = try object(["bench", "images", "--count", "2"])
    #expect((images["result"] as? [String: Any])?["imagesPerSecond"] is Double, "\(images)")
    let steps = try object(
      ["bench", "stage1", "--small", "--batch", "2", "--steps", "2", "--image-tokens", "5"])
    let result = try #require(steps["result"] as? [String: Any])
    #expect((result["seconds"] as? [Double])?.count == 2 && result["rate"] is Double, "\(result)")
    #expect((steps["machine"] as? [String: Any])?["threads"] is Int)
  }

  @Test func scoresArePercentByTheirNames() {
    #expect(
      ScoreTable.text([("bleu4", 0.30161), ("rougeL", 0.6128), ("cider", 1.025)])
        == "BLEU-4  ROUGE-L  CIDEr\n  30.2     61.3  102.5")
    #expect(ScoreTable.text([("accuracy", 0.625)]) == "VQA accuracy\n        62.5")
    #expect(StageTwoRecipe.text(ofScore: 0.4231) == "42.3")
    #expect(StageTwoRecipe.text(ofScore: -2.31) == "2.31")
  }
}
