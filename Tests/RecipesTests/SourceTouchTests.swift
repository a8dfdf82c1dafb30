import Foundation
import TestSupport
import Testing

@testable import Training

/// Every source is looked at before the first step, and what is wrong is said with its key in front.
@Suite struct SourceTouchTests {
  private func lost(_ folder: TemporaryFolder) throws -> String {
    let lines = (0..<20).map { "{\"image\": \"lost/\($0).jpg\", \"caption\": \"a dog\"}" }
    return try folder.write(lines.joined(separator: "\n"), to: "lost.jsonl").path
  }

  @Test func imagesThatLieElsewhereAreKnownBeforeTheFirstStep() throws {
    let run = try TinyRun(steps: 3)
    let list = try lost(run.folder)
    for (key, settings) in [
      ("data.validation.path", ["data.validation.path=\(list)"]),
      ("data.train.path", ["data.train.path=\(list)"]),
      (
        "data.train.mix[1].path",
        [
          "data.train.path=null",
          "data.train.mix=[{path: Data/demo/heldout.jsonl}, {path: \(list)}]",
        ]
      ),
    ] {
      let result = try BuiltTool.run(
        run.arguments(key, settings.flatMap { ["--set", $0] }))
      #expect(result.status == 1)
      #expect(result.errors.hasPrefix("error: \(key): no image of 8 tried"), "\(result.errors)")
      #expect(result.errors.contains("lost/0.jpg") && result.errors.contains("No such file"))
      #expect(!result.output.contains("step 1/"))
    }
  }

  @Test(arguments: [
    ("data.validation.path=nowhere.jsonl", "data.validation.path: "),
    ("data.train.path=nowhere.jsonl", "data.train.path: "),
    ("data.vocabulary=nowhere.txt", "data.vocabulary: "),
    ("vision.path=nowhere", "vision.path: "),
  ])
  func messagesBeginWithTheKey(_ setting: String, _ beginning: String) throws {
    let run = try TinyRun(steps: 3)
    let result = try BuiltTool.run(run.arguments("a", ["--set", setting]))
    #expect(result.status == 1)
    #expect(result.errors.hasPrefix("error: " + beginning), "\(result.errors)")
    #expect(result.errors.contains("nowhere"))
  }

  /// Side files are tried before the work, and results come before them.
  @Test(arguments: [
    ["evaluate", "caption", "--answers", "nodir/answers.jsonl"],
    ["evaluate", "caption", "--profile=nodir/trace.json"],
  ])
  func sideFilesAreTriedFirst(_ arguments: [String]) throws {
    let result = try BuiltTool.run(
      arguments + ["--checkpoint", "Tests/Fixtures/run-0.1/stage2"])
    #expect(result.status == 1)
    let option = arguments[2].prefix { $0 != "=" }
    #expect(result.errors.hasPrefix("error: \(option): nodir/"), "\(result.errors)")
    #expect(result.errors.contains("No such file or directory"), "\(result.errors)")
  }

  @Test func answersReplaceOnlyAnswers() throws {
    let folder = try TemporaryFolder()
    try folder.write("{\"image\": \"a.jpg\", \"caption\": \"mine\"}\n", to: "list.jsonl")
    let arguments = [
      "evaluate", "caption", "--checkpoint", "Tests/Fixtures/run-0.1/stage2", "--max-new-tokens",
      "2", "--answers",
    ]
    let refused = try BuiltTool.run(arguments + [folder.path("list.jsonl")])
    #expect(refused.status == 1 && refused.errors.contains("holds something else already"))
    for _ in 0..<2 {
      let written = try BuiltTool.run(arguments + [folder.path("answers.jsonl")])
      #expect(written.status == 0 && written.output.contains("CIDEr"), "\(written.errors)")
    }
  }
}
