import Foundation
import TestSupport
import Testing

struct InspectTests {
  private let scratch: TemporaryFolder
  private let file: String

  init() throws {
    scratch = try TemporaryFolder()
    file = scratch.path("step-00000040.h5")
    try SampleCheckpoint.write(to: file)
  }

  @Test func theSummaryShowsWhatTheFileHolds() throws {
    let result = try BuiltTool.run(["inspect", file])
    #expect(result.status == 0)
    #expect(result.errors == "")
    for line in [
      #/kind +stage1/#, #/step +40/#, #/epoch +2/#, #/data position +12,800/#,
      #/seed +18446744073709551615/#, #/created +2024-05-17T08:30:00Z/#, #/program version +0.1.0/#,
      #/format version +1/#, #/  vision +ab12/#, #/  bestValidation +0.25/#, #/  worst +inf/#,
      #/model +1 +1 +4/#, #/model/qFormer/layers +2 +15 +60/#,
      #/optimizer/firstMoment/qFormer +1 +10 +40/#, #/total +4 +26 +104/#,
    ] {
      let count = result.output.split(separator: "\n").filter { $0.wholeMatch(of: line) != nil }
      #expect(count.count == 1, "\(result.output)")
    }
    #expect(!result.output.contains("key/weight"))
  }

  @Test func parametersListsEveryArray() throws {
    let result = try BuiltTool.run(["inspect", file, "--parameters"])
    #expect(result.status == 0)
    #expect(result.output.contains(#/model/qFormer/layers/0/key/weight +\[2, 5\] +float32/#))
    #expect(result.output.contains(#/model/temperature +\[\] +float32/#))
  }

  @Test func configurationPrintsTheStoredTextAlone() throws {
    let result = try BuiltTool.run(["inspect", file, "--configuration"])
    #expect(result.status == 0)
    #expect(result.output == SampleCheckpoint.configuration)
  }

  @Test func jsonHoldsTheSame() throws {
    let result = try BuiltTool.run(["inspect", file, "--json", "--parameters", "--configuration"])
    #expect(result.status == 0)
    let summary = try JSONDecoder().decode(Summary.self, from: Data(result.output.utf8))
    #expect(summary.kind == "stage1")
    #expect(summary.step == 40)
    #expect(summary.seed == .max)
    #expect(summary.configuration == SampleCheckpoint.configuration)
    #expect(summary.total.values == 26)
    #expect(summary.arrays.map(\.shape).contains([2, 5]))
  }

  private struct Summary: Decodable {
    struct Total: Decodable {
      let values: Int
    }
    struct StoredArray: Decodable {
      let shape: [Int]
    }
    let kind: String
    let step: Int
    let seed: UInt64
    let configuration: String
    let total: Total
    let arrays: [StoredArray]
  }

  @Test func ofAFolderTheNewestSoundCheckpointIsShown() throws {
    let damaged = scratch.path("step-00000050.h5")
    try SampleCheckpoint.write(to: damaged, step: 50)
    try flipByte(of: damaged, at: 2000)
    let result = try BuiltTool.run(["inspect", scratch.url.path])
    #expect(result.status == 0)
    #expect(result.output.contains(#/step +40\n/#))
    #expect(result.errors.contains("warning: passed over: "))
    #expect(result.errors.contains("step-00000050.h5 is damaged"))
  }

  @Test func whatAFileSaysDoesNotSteerTheTerminal() throws {
    try SampleCheckpoint.write(to: file, kind: "\u{1B}[2Jstage1\nkind stage2")
    let result = try BuiltTool.run(["inspect", file])
    #expect(result.status == 0)
    #expect(result.output.contains("\\u{1b}[2Jstage1\\u{a}kind stage2"))
    #expect(!result.output.contains("\u{1B}"))
  }

  // MARK: What cannot be shown

  @Test func aDamagedFileIsAnError() throws {
    try flipByte(of: file, at: 2000)
    try expectError(["inspect", file], "step-00000040.h5 is damaged: digest of the contents")
  }

  @Test func aTruncatedFileIsAnError() throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    try bytes.dropLast(9).write(to: URL(fileURLWithPath: file))
    try expectError(["inspect", file], "step-00000040.h5 is truncated: expected \(bytes.count)")
  }

  @Test func aMissingFileIsAnError() throws {
    try expectError(["inspect", scratch.path("nowhere.h5")], "nowhere.h5 does not exist")
  }

  @Test(arguments: ["text\n", "\u{89}HDF\r\n", String(repeating: "x", count: 5000)])
  func anotherKindOfFileIsAnError(_ contents: String) throws {
    try contents.write(toFile: file, atomically: true, encoding: .utf8)
    try expectError(["inspect", file], "step-00000040.h5 is not a checkpoint: ")
  }

  @Test func aFolderWithoutCheckpointsIsAnError() throws {
    try FileManager.default.removeItem(atPath: file)
    try expectError(["inspect", scratch.url.path], "no sound checkpoint; name a checkpoint, or ")
  }

  @Test func aFullDiskBehindARedirectionIsAnError() throws {
    let result = try BuiltTool.run(["inspect", file], output: "/dev/full")
    #expect(result.status == 1)
    #expect(result.errors.hasPrefix("error: cannot write to standard output: "))
  }

  @Test func parametersAndConfigurationTogetherNeedJSON() throws {
    let result = try BuiltTool.run(["inspect", file, "--parameters", "--configuration"])
    #expect(result.status == 64)
    #expect(result.errors.contains("--json"))
  }

  @Test func anEmptyFileIsAnError() throws {
    try Data().write(to: URL(fileURLWithPath: file))
    try expectError(["inspect", file], "step-00000040.h5 is truncated: expected 512 bytes")
  }

  private func expectError(_ arguments: [String], _ message: String) throws {
    let result = try BuiltTool.run(arguments)
    #expect(result.status == 1)
    #expect(result.output == "")
    #expect(result.errorLines.count == 1)
    #expect(result.errors.hasPrefix("error: "), "\(result.errors)")
    #expect(result.errors.contains(message), "\(result.errors)")
  }

  private func flipByte(of path: String, at offset: Int) throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[offset] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
  }
}
