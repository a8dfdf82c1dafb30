import Foundation
import TestSupport
import Testing

@testable import WeightFiles

/// Damaged GGUF files end in values or in a `WeightFileError`, soon.
@Suite struct GGUFFuzzTests {
  /// The goldens, and a file with what they lack.
  private func samples() throws -> [FuzzRun.Sample] {
    let maker = GGUFFileMaker(
      [
        ("general.alignment", .uint32(64)), ("text", .string("ünï")), ("large", .uint64(.max)),
        ("texts", .array([.string("a"), .string("日本"), .string("")])), ("no", .bool(false)),
        ("nested", .array([.array([.int64(-1)]), .array([.float(2)])])),
      ],
      [
        .init("integers", [2], type: 26, bytes: number(5, 8)),
        .init("unread", [256], type: 10, bytes: [UInt8](repeating: 1, count: 84)),
        .init("half", [2, 3, 1, 2], type: 1, bytes: [UInt8](repeating: 60, count: 24)),
        .init("scalar", [], type: 28, bytes: number(1, 8)),
      ])
    var aligned = maker
    aligned.alignment = 64
    return try GGUFFileTests.folders.flatMap(GGUFFileTests.files).map { try FuzzRun.Sample($0) }
      + [FuzzRun.Sample(name: "other kinds", bytes: aligned.file)]
  }

  private func readAll(_ file: GGUFFile) throws {
    for (key, value) in file.fields.values {
      let fields = file.fields
      switch value {
      case .unsigned, .signed: _ = try? fields.integer(key)
      case .float: _ = try fields.float(key)
      case .bool: _ = try fields.bool(key)
      case .string: _ = try fields.string(key)
      case .array:
        // One of them at most is for its kind.
        _ = try? fields.strings(key)
        _ = try? fields.integers(key)
        _ = try? fields.floats(key)
      }
    }
    for name in file.names {
      guard let tensor = try? file.tensor(named: name) else { continue }
      let count =
        try tensor.form.isFloatingPoint ? tensor.tensor().count : tensor.integers().count
      #expect(count == tensor.elementCount)
      if let weight = try? tensor.matrixWeight() {
        #expect(weight.rows([0, Int32(weight.outputs - 1)]).shape == [2, weight.inputs])
      }
    }
  }

  private func fuzz(
    _ reader: String, damage: (inout Mutator, [UInt8], [UInt8]) -> [UInt8]
  ) throws {
    let folder = try TemporaryFolder()
    let run = FuzzRun(reader: reader, samples: try samples()) { $0 is WeightFileError }
    let report = run.run(damage: damage) { bytes in
      try readAll(try GGUFFile(try folder.replace("model.gguf", with: bytes)))
    }
    #expect(report.problems == [])
    // Both must happen, or the trial says nothing.
    let count = report.accepted + report.refused
    #expect(count < 100 || report.accepted > 0 && report.refused > count / 10, "\(report)")
  }

  @Test func anywhere() throws {
    try fuzz("gguf") { mutator, bytes, other in mutator.mutated(bytes, with: other) }
  }

  /// The header alone: what follows has hardly a say.
  @Test func header() throws {
    try fuzz("gguf-header") { mutator, bytes, other in
      let end = min(bytes.count, 900)
      return mutator.mutated(Array(bytes[..<end]), with: Array(other.prefix(900))) + bytes[end...]
    }
  }
}
