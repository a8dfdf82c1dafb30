import Foundation
import TestSupport
import Testing

@testable import Recipes

/// Frozen features that are computed once.
@Suite struct FeatureCacheTests {
  private let run: TinyRun
  private let frozen: [String]

  init() throws {
    run = try TinyRun(steps: 6)
    #expect(try BuiltTool.run(run.arguments("encoder-run", ["--max-steps", "1"])).status == 0)
    let export = try BuiltTool.run(
      [
        "export", run.output("encoder-run"), "--parts", "vision", "--output",
        run.output("encoder"),
      ])
    #expect(export.status == 0, "\(export.errors)")
    frozen = [
      "vision.path=\(run.output("encoder"))", "vision.frozen=true",
      "vision.cacheFolder=\(run.output("features"))", "data.augmentation.crop=false",
      "data.augmentation.flipProbability=0", "data.validation.path=Data/demo/heldout.jsonl",
    ].flatMap { ["--set", $0] }
  }

  private func train(_ name: String, _ more: [String] = [], cache: Bool = true) throws
    -> BuiltTool.Result
  {
    try BuiltTool.run(run.arguments(name, frozen + ["--set", "vision.cache=\(cache)"] + more))
  }

  private func files() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: run.output("features")).sorted()
  }

  private func losses(_ name: String) throws -> [Double] {
    try String(contentsOfFile: run.output(name) + "/metrics.jsonl", encoding: .utf8)
      .split(separator: "\n").compactMap {
        let object = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        return object?["itc"] as? Double
      }
  }

  @Test func aRunWithStoredFeaturesIsTheRunWithoutThem() throws {
    let first = try train("cached")
    #expect(first.status == 0, "\(first.errors)")
    // Training and held-out pairs are the same list here, seen in the same way: one file.
    #expect(try files().count == 1)
    #expect(try train("images", cache: false).status == 0)
    let (cached, plain) = (try losses("cached"), try losses("images"))
    #expect(cached.count >= 6 && cached.count == plain.count)
    // Stored as bfloat16: three significant digits of a feature.
    for (a, b) in zip(cached, plain) { #expect(abs(a - b) < 0.01 * abs(b)) }
    #expect(cached != plain)

    let second = try train("again", ["--max-steps", "3"])
    #expect(second.output.contains("features: read from"), "\(second.output)")
    #expect(try train("again", ["--resume"]).status == 0)
    let difference = try TinyRun.difference(
      run.checkpoint("cached", step: 6), run.checkpoint("again", step: 6), group: "/model")
    #expect(difference.isEmpty)
  }

  @Test func viewsAreDrawnAndAugmented() throws {
    let views = ["vision.views=3", "data.augmentation.crop=true"].flatMap { ["--set", $0] }
    #expect(try train("views", views).status == 0)
    // The plain one for the held-out pairs besides.
    #expect(try files().count == 2)
    #expect(try train("one").status == 0)
    #expect(try losses("views") != losses("one"))
  }

  @Test func damagedAndForeignFilesAreMadeAgain() throws {
    #expect(try train("a", ["--max-steps", "1"]).status == 0)
    let file = URL(fileURLWithPath: run.output("features")).appendingPathComponent(
      try #require(try files().first))
    let whole = try Data(contentsOf: file)
    try whole.prefix(whole.count / 2).write(to: file)
    let again = try train("b", ["--max-steps", "1"])
    #expect(again.status == 0 && again.output.contains("made again"), "\(again.output)")
    #expect(try Data(contentsOf: file) == whole)
    // Another layer is another file.
    #expect(try train("c", ["--max-steps", "1", "--set", "vision.finalNorm=false"]).status == 0)
    #expect(try files().count == 2)
    let trained = try train("d", ["--set", "vision.frozen=false"])
    #expect(trained.status == 1 && trained.errors.contains("vision.cache"))
  }

  @Test func unreadableImagesAreSkippedAsEver() throws {
    let images = try TemporaryFolder()
    let source = Goldens.repository.appendingPathComponent("Data/demo/images")
    for name in try FileManager.default.contentsOfDirectory(atPath: source.path).sorted().prefix(20)
    {
      try images.copy(source.appendingPathComponent(name))
      try images.write("an image", to: (name as NSString).deletingPathExtension + ".txt")
    }
    try images.write("not an image", to: "broken.jpg")
    try images.write("a broken image", to: "broken.txt")
    let result = try train("a", ["--set", "data.train.path=\(images.url.path)"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains(images.path("broken.jpg")), "\(result.output)")
  }
}
