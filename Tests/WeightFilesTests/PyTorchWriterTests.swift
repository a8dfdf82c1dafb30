import Files
import Foundation
import TestSupport
import Testing

@testable import WeightFiles

@Suite struct PyTorchWriterTests {
  private let tensors: [String: WrittenTensor] = [
    "": .init(shape: [], values: [7]),
    "b16": .init(shape: [3], values: [1, .nan, -.infinity], precision: .bfloat16),
    "empty": .init(shape: [0, 4], values: []),
    "half": .init(shape: [2], values: [1.5, -2], precision: .float16),
    "ä \"w\"\n": .init(shape: [2, 3], values: [0, 1, 2, 3, 4, 5]),
  ]

  private func write(_ folder: TemporaryFolder, beneath key: String?) throws -> URL {
    let url = folder.url.appendingPathComponent("model.bin")
    try PyTorchWriter.write(tensors, beneath: key, to: url)
    return url
  }

  @Test(arguments: [nil, "model", ""]) func writtenTensorsComeBack(key: String?) throws {
    let folder = try TemporaryFolder()
    let file = try WeightFolder(write(folder, beneath: key))
    #expect(file.names == tensors.keys.sorted())
    for (name, tensor) in tensors {
      let stored = try file.tensor(named: name)
      #expect(stored.shape == tensor.shape && stored.elementType == tensor.precision.elementType)
      let (found, expected) = (try stored.floats(), try tensor.values)
      #expect(found.map(\.bitPattern) == expected.map(\.bitPattern), "\(name)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).count == 1)
  }

  /// The bytes that torch 2.15 reads by `torch.load(path, weights_only=True)`, with `mmap=True` too. Who changes
  /// them lets it read them again.
  @Test func torchHasReadTheseBytes() throws {
    let folder = try TemporaryFolder()
    let bytes = try Data(contentsOf: write(folder, beneath: "model"))
    #expect(
      SHA256.hash(bytes).hexadecimal
        == "c40d6a4f5e7c276c4306a9c813b5b32079c0e693fa6679eee448716c6d8ea16c")
  }

  @Test(arguments: [Int(UInt32.max), 1000, 0]) func entriesAreAlignedAndChecked(
    firstWide: Int
  ) throws {
    let contents: [(String, [UInt8])] = [
      ("archive/data.pkl", Array("pickle".utf8)), ("archive/data/0", [1, 2, 3]),
      ("archive/data/10", [UInt8](repeating: 5, count: 1000)), ("archive/data/1", []),
    ]
    let folder = try TemporaryFolder()
    let path = folder.path("a.zip")
    try AtomicFile.replace(path) { output in
      var zip = ZipWriter(output, firstWide: firstWide)
      for (name, content) in contents {
        try zip.add(name, byteCount: content.count) { append in
          for byte in content { try withUnsafeBytes(of: byte, append) }
        }
      }
      try zip.finish()
    }
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    try bytes.withUnsafeBytes { bytes in
      let end = try #require(bytes.littleEndian(UInt32.self, at: bytes.count - 22))
      #expect(end == 0x0605_4B50)
      let count = bytes.littleEndian(UInt16.self, at: bytes.count - 12)
      #expect(count == (firstWide > bytes.count ? 4 : .max))
      let entries = try ZipDirectory(bytes).entries
      #expect(entries.count == contents.count)
      for (name, content) in contents {
        let entry = try #require(entries[name])
        #expect(entry.byteRange.lowerBound % 64 == 0 && entry.method == 0, "\(name)")
        #expect(bytes[entry.byteRange].elementsEqual(content), "\(name)")
        var checksum = CRC32.zip
        content.withUnsafeBytes { checksum.update($0) }
        let noted = bytes.littleEndian(UInt32.self, at: entry.headerOffset + 14)
        #expect(noted == checksum.value, "\(name)")
      }
    }
  }

  @Test func failedWriteLeavesTheOldFile() throws {
    let folder = try TemporaryFolder()
    let url = try folder.write("something older", to: "model.bin")
    let large = WrittenTensor(shape: [1], values: [70000], precision: .float16)
    let error = #expect(throws: WeightFileError.self) {
      try PyTorchWriter.write(["w": large], to: url)
    }
    #expect(error?.description.contains("tensor w: the value 70000") == true)
    #expect(try String(contentsOf: url, encoding: .utf8) == "something older")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).count == 1)
  }
}
