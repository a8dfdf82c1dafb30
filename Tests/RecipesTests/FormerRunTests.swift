import Foundation
import TestSupport
import Testing

@testable import Recipes

/// The run folders that version 0.1.0 left: each later version goes on with them.
enum Fixture {
  static let folder = Goldens.repository.appendingPathComponent("Tests/Fixtures/run-0.1")

  /// A copy of one run's folder that a test may write to.
  static func copy(_ stage: String) throws -> TemporaryFolder {
    let copy = try TemporaryFolder()
    try copy.copy(folder.appendingPathComponent(stage))
    return copy
  }

  static func resume(
    _ stage: String, in folder: TemporaryFolder, _ more: [String] = []
  ) throws -> BuiltTool.Result {
    try BuiltTool.run(
      [
        stage, "--config", "Tests/Fixtures/run-0.1/\(stage).yaml", "--output", folder.path(stage),
        "--resume",
      ] + more)
  }

  static func expected(_ key: String) throws -> [String: Any] {
    let data = try Data(contentsOf: folder.appendingPathComponent("expected.json"))
    let all = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    return all?[key] as? [String: Any] ?? [:]
  }

  static func json(_ text: some StringProtocol) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }
}

@Suite struct FormerRunTests {
  /// To the end of its schedule, where its losses are those that 0.1.0 itself came to.
  @Test(arguments: ["stage1", "stage2"])
  func isResumed(_ stage: String) throws {
    let folder = try Fixture.copy(stage)
    let result = try Fixture.resume(stage, in: folder)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("step-00000006.h5 at step 6"), "\(result.output)")
    let metrics = try String(contentsOfFile: folder.path("\(stage)/metrics.jsonl"), encoding: .utf8)
    let last = try #require(
      metrics.split(separator: "\n").last { $0.contains("\"kind\":\"validation\"") })
    let found = try Fixture.json(last)
    for (key, value) in try Fixture.expected(stage) {
      let (expected, number) = (try #require(value as? Double), try #require(found[key] as? Double))
      #expect(abs(number - expected) <= 1e-4 * abs(expected), "\(key): \(number)")
    }
    // Lines of before stay as they were; step 6 is judged again, and its captions have today's key.
    let before = try String(
      contentsOf: Fixture.folder.appendingPathComponent("\(stage)/metrics.jsonl"), encoding: .utf8)
    func renamed(_ text: String) -> String {
      text.replacingOccurrences(of: "\"picture\":", with: "\"image\":")
    }
    #expect(renamed(metrics).hasPrefix(renamed(before)))
  }

  @Test func isEvaluated() throws {
    let result = try BuiltTool.run(
      ["evaluate", "retrieval", "--json", "--checkpoint", "Tests/Fixtures/run-0.1/stage1"])
    #expect(result.status == 0, "\(result.errors)")
    let found = try Fixture.json(result.output)
    for (key, value) in try Fixture.expected("retrieval") {
      let (expected, number) = (try #require(value as? Double), try #require(found[key] as? Double))
      #expect(abs(number - expected) <= 1e-4 * expected, "\(key): \(number)")
    }
    let captions = try BuiltTool.run(
      ["evaluate", "caption", "--json", "--checkpoint", "Tests/Fixtures/run-0.1/stage2"])
    #expect(captions.status == 0, "\(captions.errors)")
    #expect(try Fixture.json(captions.output)["captions"] as? Int == 6)
  }

  @Test func captionsAndEmbeds() throws {
    let image = "Tests/Fixtures/run-0.1/images/1f378.webp"
    let caption = try BuiltTool.run([
      "caption", "--checkpoint", "Tests/Fixtures/run-0.1/stage1", "--image", image, "--min-tokens",
      "2", "--max-tokens", "8",
    ])
    #expect(caption.status == 0, "\(caption.errors)")
    #expect(caption.output == image + "\t##h grapest bar cherryc\n")
    let folder = try TemporaryFolder()
    let embedded = try BuiltTool.run([
      "embed", "--checkpoint", "Tests/Fixtures/run-0.1/stage1", "--image", image, "--output",
      folder.path("a.jsonl"),
    ])
    #expect(embedded.status == 0, "\(embedded.errors)")
    let generated = try BuiltTool.run([
      "generate", "--checkpoint", "Tests/Fixtures/run-0.1/stage2", "--image", image,
    ])
    #expect(generated.status == 0, "\(generated.errors)")
  }
}
