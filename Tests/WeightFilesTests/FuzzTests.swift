import Files
import Foundation
import TestSupport
import Testing

@testable import WeightFiles

/// Damaged files of every format end in values or in a `WeightFileError`, soon.
@Suite struct FuzzTests {
  private func fuzz(
    _ reader: String, _ samples: [FuzzRun.Sample], fileName: String,
    damage: (inout Mutator, [UInt8], [UInt8]) -> [UInt8]
  ) throws {
    let folder = try TemporaryFolder()
    try SafetensorsWriter.write(
      ["a": .init(shape: [2], values: [1, 2])],
      to: folder.url.appendingPathComponent("model-1.safetensors"))
    let isIndex = fileName.hasSuffix(".index.json")
    let run = FuzzRun(reader: reader, samples: samples) {
      $0 is WeightFileError || $0 is ReadFailure
    }
    let report = run.run(damage: damage) { bytes in
      let url = try folder.replace(fileName, with: bytes)
      let weights = try WeightFolder(isIndex ? folder.url : url)
      for name in weights.names { try readAll(try weights.tensor(named: name)) }
    }
    #expect(report.problems == [])
    // Both must happen, or the trial says nothing.
    let count = report.accepted + report.refused
    #expect(count < 100 || report.accepted > 0 && report.refused > count / 10, "\(report)")
  }

  private func readAll(_ tensor: StoredTensor) throws {
    let count = try tensor.form.isFloatingPoint ? tensor.floats().count : tensor.integers().count
    #expect(count == tensor.elementCount)
  }

  @Test func safetensors() throws {
    let every = FuzzRun.Sample(
      name: "every element type", bytes: [UInt8](EveryElementType.file()))
    let samples =
      [every]
      + (try PyTorchGoldenTests.folders.map {
        try FuzzRun.Sample($0.appendingPathComponent("golden.safetensors"))
      })
    try fuzz("safetensors", samples, fileName: "model.safetensors") { mutator, bytes, other in
      let length = Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16
      switch mutator.below(4) {
      case 0: return mutator.mutated(bytes, with: other)
      case 1:  // Beyond the bounds on the header's length.
        return mutator.mutated(Array(bytes[..<64]), with: other) + bytes[64...]
      default:  // The header alone, its length put right.
        let header = mutator.mutatedJSON(Array(bytes[8..<8 + length]), with: other)
        return number(header.count, 8) + header + bytes[(8 + length)...]
      }
    }
  }

  @Test func shardIndex() throws {
    let one = """
      {"metadata": {"total_size": 8}, "weight_map": {"a": "model-1.safetensors"}}
      """
    let two = #"{"weight_map":{"a":"model-1.safetensors","a":"model-1.safetensors"}}"#
    let samples = [one, two].map { FuzzRun.Sample(name: $0, bytes: Array($0.utf8)) }
    try fuzz("shard-index", samples, fileName: "model.safetensors.index.json") {
      mutator, bytes, other in mutator.mutatedJSON(bytes, with: other)
    }
  }

  /// The goldens, and a checkpoint with what they lack.
  private func torchSamples() throws -> [FuzzRun.Sample] {
    try PyTorchGoldenTests.folders.flatMap(PyTorchGoldenTests.torchFiles).map {
      try FuzzRun.Sample($0)
    } + [FuzzRun.Sample(name: "checkpoint", bytes: torchFile(TorchSamples.checkpoint).file)]
  }

  @Test func torchZip() throws {
    var samples = try torchSamples()
    var wide = torchFile(TorchSamples.checkpoint)
    wide.isWide = true
    samples.append(FuzzRun.Sample(name: "64-bit", bytes: wide.file))
    try fuzz("pytorch-zip", samples, fileName: "model.bin") { mutator, bytes, other in
      mutator.mutated(bytes, with: other)
    }
  }

  @Test func torchPickle() throws {
    try fuzz("pytorch-pickle", try torchSamples(), fileName: "model.bin") { mutator, bytes, other in
      let pickle = Self.entries(of: other).first { $0.0.hasSuffix("data.pkl") }?.1 ?? []
      let entries = Self.entries(of: bytes).map { name, content in
        name.hasSuffix("data.pkl")
          ? (name, mutator.mutated(content, with: pickle)) : (name, content)
      }
      return ZipMaker(entries).file
    }
  }

  /// The entries of a zip file that is whole; none of another.
  private static func entries(of bytes: [UInt8]) -> [(String, [UInt8])] {
    bytes.withUnsafeBytes { bytes in
      guard let directory = try? ZipDirectory(bytes) else { return [] }
      return directory.entries.values.sorted { $0.headerOffset < $1.headerOffset }
        .map { ($0.name, Array(bytes[$0.byteRange])) }
    }
  }
}
