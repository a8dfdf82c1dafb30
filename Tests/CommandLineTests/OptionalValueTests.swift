import Foundation
import TestSupport
import Testing

@testable import blip2_train

/// Options that may stand with a value or without, in every place and form.
struct OptionalValueTests {
  /// An option's value, or nil where it stands without one; where in the arguments it stands.
  private static func places(_ option: [String], among others: [[String]]) -> [[String]] {
    (0...others.count).map { place in
      Array((others[..<place] + [option] + others[place...]).joined())
    }
  }

  private static let others = [
    ["--output", "runs/a"], ["--max-steps", "3"], ["--set", "seed=1"],
  ]

  @Test(arguments: [["--resume=runs/b.h5"], ["--resume", "runs/b.h5"]])
  func resumeKeepsItsValue(_ option: [String]) throws {
    for arguments in Self.places(option, among: Self.others) {
      let parsed = try StageOneCommand.parse(OptionalValues.separated(arguments))
      #expect(parsed.options.resume == "runs/b.h5", "\(arguments)")
      #expect(parsed.options.output == "runs/a" && parsed.options.maxSteps == 3)
    }
  }

  @Test func resumeStandsAlone() throws {
    for arguments in Self.places(["--resume"], among: Self.others) {
      let parsed = try StageOneCommand.parse(OptionalValues.separated(arguments))
      #expect(parsed.options.resume == "" && parsed.options.output == "runs/a", "\(arguments)")
    }
  }

  @Test(arguments: [["--profile=log/p.json"], ["--profile", "log/p.json"]])
  func profileKeepsItsValue(_ option: [String]) throws {
    for arguments in Self.places(option, among: [["--checkpoint", "runs/a"], ["--json"]]) {
      let parsed = try EvaluateRetrievalCommand.parse(OptionalValues.separated(arguments))
      #expect(parsed.profiling.profile == "log/p.json", "\(arguments)")
      #expect(parsed.model.checkpoint == "runs/a" && parsed.output.result.json)
    }
  }

  @Test func profileStandsAlone() throws {
    for arguments in Self.places(["--profile"], among: [["--checkpoint", "runs/a"], ["--json"]]) {
      let parsed = try EvaluateRetrievalCommand.parse(OptionalValues.separated(arguments))
      #expect(
        parsed.profiling.profile == "blip2-profile.json" && parsed.output.result.json,
        "\(arguments)")
    }
  }

  @Test func oddValues() {
    #expect(OptionalValues.separated(["--resume=-x"]) == ["--resume", "./-x"])
    #expect(OptionalValues.separated(["--resume=a=b"]) == ["--resume", "a=b"])
    #expect(OptionalValues.separated(["--resumes=a"]) == ["--resumes=a"])
    #expect(OptionalValues.separated(["--", "--resume=a"]) == ["--", "--resume=a"])
  }

  /// A new option of the kind needs its place in the list.
  @Test func theListIsComplete() throws {
    let folder = Goldens.repository.appendingPathComponent("Sources/blip2-train")
    let files = try #require(FileManager.default.enumerator(atPath: folder.path))
    var count = 0
    for case let file as String in files where file.hasSuffix(".swift") {
      let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
      count += text.components(separatedBy: "defaultAsFlag:").count - 1
    }
    #expect(count == OptionalValues.options.count)
  }
}
