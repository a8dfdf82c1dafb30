import Foundation
import TestSupport
import Testing

@testable import Checkpointing

/// A folder of a test's own, removed with its last reference.
final class ScratchFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("checkpointing-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ name: String) -> URL { url.appendingPathComponent(name) }

  /// All names in the folder, sorted.
  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
  }
}

enum Sample {
  static func metadata(step: Int = 40) -> CheckpointMetadata {
    var metadata = CheckpointMetadata(
      kind: "stage1", step: step, epoch: 2, dataPosition: 128, seed: .max - 1,
      configuration: "stage: 1\nname: Übung\n", programVersion: "0.1.0")
    metadata.fingerprints = ["vision": "ab12", "data": ""]
    metadata.counters = ["bestValidation": 0.1, "skipped": -3]
    metadata.createdAt = "2024-05-17T08:30:00Z"
    return metadata
  }

  static let arrays = [
    CheckpointArray(
      path: "model/qFormer/layers/0/key/weight", shape: [3, 5],
      values: (0..<15).map { Float($0) / 7 }),
    CheckpointArray(path: "model/temperature", shape: [], values: [0.07]),
    CheckpointArray(path: "model/empty", shape: [0, 4], values: []),
    CheckpointArray(
      path: "optimizer/firstMoment/qFormer/layers/0/key/weight", shape: [15],
      values: [.nan, .infinity, -0.0, .leastNonzeroMagnitude]
        + [Float](repeating: 1, count: 11)),
  ]

  static func write(to url: URL, step: Int = 40) throws {
    try CheckpointWriter.write(to: url, metadata: metadata(step: step), arrays: arrays)
  }
}

/// What a command printed and how it ended.
func run(_ tool: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
  let result = try BuiltTool.run(arguments, program: URL(fileURLWithPath: "/usr/bin/\(tool)"))
  return (result.status, result.output + result.errors)
}

/// The bits, so that NaN equals itself and -0 differs from 0.
func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

/// The error that `body` throws.
func checkpointError(_ body: () throws -> Void) -> CheckpointError? {
  #expect(throws: CheckpointError.self, performing: body)
}
