import Files
import Foundation
import Testing

@testable import Checkpointing

@Suite struct RoundTripTests {
  let folder: ScratchFolder
  let url: URL

  init() throws {
    folder = try ScratchFolder()
    url = folder.file("step-00000040.h5")
  }

  @Test func metadataAndArraysComeBack() throws {
    try Sample.write(to: url)
    let file = try CheckpointFile.open(url)
    #expect(file.metadata == Sample.metadata())
    #expect(file.arrays.map(\.path) == Sample.arrays.map(\.path).sorted())
    for array in Sample.arrays {
      var expected: [Float] = []
      try array.withValues { expected = Array($0) }
      #expect(file.description(of: array.path)?.shape == array.shape)
      #expect(bits(try file.read(array.path)) == bits(expected))
    }
    #expect(try folder.names() == ["step-00000040.h5"])
  }

  @Test func readingIntoABufferChecksTheShape() throws {
    try Sample.write(to: url)
    let file = try CheckpointFile.open(url)
    let path = "model/qFormer/layers/0/key/weight"
    var values = [Float](repeating: 0, count: 15)
    try values.withUnsafeMutableBufferPointer {
      try file.read(path, into: $0, expectedShape: [3, 5])
    }
    #expect(values == (0..<15).map { Float($0) / 7 })
    let error = checkpointError {
      try values.withUnsafeMutableBufferPointer {
        try file.read(path, into: $0, expectedShape: [5, 3])
      }
    }
    #expect(
      error?.description == "parameter qFormer.layers.0.key.weight: expected [5, 3], "
        + "found [3, 5] in \(url.path)")
  }

  @Test func aMissingArrayIsNamed() throws {
    try Sample.write(to: url)
    let file = try CheckpointFile.open(url)
    for path in ["model/other", "run/step", "model", "", "/model/temperature"] {
      #expect(throws: CheckpointError.missingArray(url, path: path)) { try file.read(path) }
    }
  }

  @Test func equalContentsMakeEqualBytes() throws {
    try Sample.write(to: url)
    let other = folder.file("other.h5")
    try CheckpointWriter.write(
      to: other, metadata: Sample.metadata(), arrays: Sample.arrays.reversed())
    #expect(try Data(contentsOf: url) == Data(contentsOf: other))
    try Sample.write(to: other, step: 41)
    #expect(try Data(contentsOf: url) != Data(contentsOf: other))
  }

  @Test func valuesMayComeFromAnotherCheckpoint() throws {
    try Sample.write(to: url)
    let file = try CheckpointFile.open(url)
    let copies = file.arrays.map { array in
      CheckpointArray(path: array.path, shape: array.shape) { body in
        try file.read(array.path).withUnsafeBufferPointer(body)
      }
    }
    let copy = folder.file("copy.h5")
    try CheckpointWriter.write(to: copy, metadata: file.metadata, arrays: copies)
    #expect(try Data(contentsOf: url) == Data(contentsOf: copy))
  }

  /// More links and attributes than HDF5 keeps in an object header.
  @Test func manyArraysInOneGroup() throws {
    let arrays = (0..<600).map {
      CheckpointArray(path: "model/array\($0)", shape: [2], values: [Float($0), -Float($0)])
    }
    let metadata = Sample.metadata()
    try CheckpointWriter.write(to: url, metadata: metadata, arrays: arrays)
    let file = try CheckpointFile.open(url)
    #expect(file.arrays.count == 600)
    for number in 0..<600 {
      #expect(try file.read("model/array\(number)") == [Float(number), -Float(number)])
    }
    let size = try #require(
      FileManager.default.attributesOfItem(atPath: url.path)[.size] as? UInt64)
    #expect(size <= CheckpointWriter.estimatedSize(metadata, arrays))
  }

  @Test func longTextsComeBack() throws {
    var metadata = Sample.metadata()
    metadata.configuration = String(repeating: "ключ: значение\n", count: 20_000)
    metadata.programVersion = ""
    try CheckpointWriter.write(to: url, metadata: metadata, arrays: [])
    #expect(try CheckpointFile.open(url).metadata == metadata)
  }

  @Test func threadsMayReadAtOnce() async throws {
    try Sample.write(to: url)
    let url = url
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<16 {
        group.addTask {
          let file = try CheckpointFile.open(url)
          let other = url.deletingLastPathComponent().appendingPathComponent("\(number).h5")
          try Sample.write(to: other, step: number)
          return try file.read("model/temperature") == [0.07]
            && CheckpointFile.open(other).metadata.step == number
        }
      }
      for try await equal in group { #expect(equal) }
    }
  }

  /// HDF5 locks files, and a process started while one is written would inherit that lock.
  @Test func aLockOnTheFileIsNoHindrance() throws {
    try Sample.write(to: url)
    let holder = try OpenFile(reading: url.path)
    #expect(try holder.lockExclusively())
    #expect(try CheckpointFile.open(url).metadata == Sample.metadata())
  }

  @Test func anErrorOfTheValuesEndsTheWriting() throws {
    struct ValueError: Error {}
    try Sample.write(to: url)
    let before = try Data(contentsOf: url)
    let failing = CheckpointArray(path: "model/z", shape: [4]) { _ in throw ValueError() }
    #expect(throws: ValueError.self) {
      try CheckpointWriter.write(
        to: url, metadata: Sample.metadata(), arrays: Sample.arrays + [failing])
    }
    #expect(try Data(contentsOf: url) == before)
    #expect(try folder.names() == ["step-00000040.h5"])
  }
}
