import Checkpointing
import Foundation
import TestSupport
import Testing

@testable import Training

/// What is not finite is no result, and numbers that no run writes are not believed.
@Suite struct SoundnessTests {
  /// Writes a checkpoint again with changes.
  private func rewrite(
    _ path: String, metadata change: (inout CheckpointMetadata) -> Void = { _ in },
    array: (_ path: String, _ values: inout [Float]) -> Void = { _, _ in }
  ) throws {
    let url = URL(fileURLWithPath: path)
    let file = try CheckpointFile.open(url)
    var metadata = file.metadata
    change(&metadata)
    let arrays = try file.arrays.map { description in
      var values = try file.read(description.path)
      array(description.path, &values)
      return CheckpointArray(path: description.path, shape: description.shape, values: values)
    }
    try CheckpointWriter.write(to: url, metadata: metadata, arrays: arrays)
  }

  private func trained() throws -> (run: TinyRun, checkpoint: String) {
    let run = try TinyRun(
      steps: 4, extra: "initialise: {bert: null}")
    let first = try BuiltTool.run(
      run.arguments(
        "a",
        [
          "--max-steps", "2", "--set", "checkpoint.every=0", "--set",
          "data.validation.path=Data/demo/heldout.jsonl", "--set", "validation.rerank=2",
        ]))
    #expect(first.status == 0, "\(first.errors)")
    return (run, run.checkpoint("a", step: 2))
  }

  @Test func aParameterThatIsNotFiniteIsNamed() throws {
    let (run, checkpoint) = try trained()
    try rewrite(
      checkpoint,
      array: { path, values in
        if path == "model/qFormer/queryTokens" { values[0] = .nan }
      })
    let image = Goldens.repository.appendingPathComponent(
      "Tests/Fixtures/run-0.1/images/1f378.webp"
    ).path
    let output = run.folder.path("out")
    for arguments in [
      ["evaluate", "retrieval", "--checkpoint", checkpoint],
      ["evaluate", "retrieval", "--checkpoint", checkpoint, "--json"],
      ["caption", "--checkpoint", checkpoint, "--image", image],
      ["embed", "--checkpoint", checkpoint, "--image", image, "--output", output + ".jsonl"],
      ["embed", "--checkpoint", checkpoint, "--text", "a cat", "--output", output + ".h5"],
      run.arguments("a", ["--resume"]),
      run.arguments("b", ["--set", "initialise.from=\(checkpoint)"]),
    ] {
      let result = try BuiltTool.run(arguments)
      #expect(result.status == 1, "\(arguments)")
      #expect(result.errors.contains("parameter qFormer.queryTokens"), "\(result.errors)")
      #expect(result.errors.contains("not finite"), "\(result.errors)")
      #expect(!result.output.contains("R@1"))
    }
    for ending in [".jsonl", ".h5"] {
      #expect(!FileManager.default.fileExists(atPath: output + ending))
    }
  }

  struct BadNumber: CustomTestStringConvertible, Sendable {
    let key: String
    let value: Double
    var testDescription: String { "\(key) \(value)" }
  }

  @Test(arguments: [
    BadNumber(key: "threads", value: .nan), BadNumber(key: "threads", value: .infinity),
    BadNumber(key: "threads", value: 1e300), BadNumber(key: "threads", value: -1e300),
    BadNumber(key: "threads", value: 0), BadNumber(key: "updates", value: -5),
    BadNumber(key: "updates", value: 1e18), BadNumber(key: "updates", value: 1.5),
    BadNumber(key: "skippedImages", value: -1), BadNumber(key: "bestValue", value: .infinity),
    BadNumber(key: "bestStep", value: 99), BadNumber(key: "validatedStep", value: -1),
    BadNumber(key: "loggedSteps", value: .nan), BadNumber(key: "logged.itc", value: .nan),
  ])
  func countersOutOfRangeAreRefused(_ bad: BadNumber) throws {
    let folder = try Fixture.copy("stage1")
    let path = folder.path("stage1/step-00000006.h5")
    try rewrite(path, metadata: { $0.counters[bad.key] = bad.value })
    let result = try Fixture.resume("stage1", in: folder)
    #expect(result.status == 1)
    #expect(result.errors.contains("/run/counters/\(bad.key): expected "), "\(result.errors)")
    #expect(FileManager.default.fileExists(atPath: path), "nothing is set aside before")
  }

  @Test(arguments: [
    ("step", -1), ("step", Int.min), ("step", .max), ("step", 7), ("epoch", -1),
    ("dataPosition", -1), ("epoch", .max),
  ])
  func placesOutOfRangeAreRefused(_ key: String, _ value: Int) throws {
    let folder = try Fixture.copy("stage1")
    let path = folder.path("stage1/step-00000006.h5")
    try rewrite(
      path,
      metadata: {
        switch key {
        case "step": $0.step = value
        case "epoch": $0.epoch = value
        default: $0.dataPosition = value
        }
      })
    let result = try Fixture.resume("stage1", in: folder)
    #expect(result.status == 1)
    #expect(result.errors.contains("run/\(key): expected "), "\(result.errors)")
    #expect(FileManager.default.fileExists(atPath: path))
  }

  @Test func squaresBelowZeroAreRefused() throws {
    let folder = try Fixture.copy("stage1")
    try rewrite(
      folder.path("stage1/step-00000006.h5"),
      array: { path, values in
        if path.hasPrefix("optimizer/secondMoment/"), !values.isEmpty { values[0] = -1 }
      })
    let result = try Fixture.resume("stage1", in: folder)
    #expect(result.status == 1 && result.errors.contains("a square below 0"), "\(result.errors)")
  }
}
