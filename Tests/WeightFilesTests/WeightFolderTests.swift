import Files
import Foundation
import Testing
import WeightFiles

@Suite struct WeightFolderTests {
  private let first = WrittenTensor(shape: [2], values: [1, 2])
  private let second = WrittenTensor(shape: [2, 1], values: [3, 4])

  /// A folder with two shards and the given index.
  private func withShards<Result>(_ index: String, _ body: (URL) throws -> Result) throws -> Result
  {
    try withTemporaryFolder { folder in
      try SafetensorsWriter.write(
        ["a": first], metadata: ["format": "pt"],
        to: folder.appendingPathComponent("model-1.safetensors"))
      try SafetensorsWriter.write(
        ["b": second], to: folder.appendingPathComponent("model-2.safetensors"))
      try Data(index.utf8).write(
        to: folder.appendingPathComponent("model.safetensors.index.json"))
      return try body(folder)
    }
  }

  @Test func shardsReadAsOneFolder() throws {
    let index = """
      {"metadata": {"total_size": 16}, "weight_map":
      {"b": "model-2.safetensors", "a": "model-1.safetensors"}}
      """
    try withShards(index) { url in
      let folder = try WeightFolder(url)
      #expect(folder.names == ["a", "b"])
      #expect(folder.metadata == ["format": "pt"])
      #expect(try folder.tensor(named: "a").floats() == [1, 2])
      #expect(try folder.tensor(named: "b").floats() == [3, 4])
      #expect(try folder.tensor(named: "b").file.path.hasSuffix("model-2.safetensors"))
    }
  }

  /// An index whose shards were not all fetched gives way to weights that are there whole.
  @Test func incompleteIndexesGiveWay() throws {
    let index = #"{"weight_map": {"a": "model-1.safetensors", "x": "model-3.safetensors"}}"#
    try withShards(index) { url in
      func message() -> String? {
        #expect(throws: ReadFailure.self) { try WeightFolder(url) }?.description
      }
      #expect(message()?.contains("model-3.safetensors: cannot be read") == true)
      let other = url.appendingPathComponent("pytorch_model.bin.index.json")
      try Data(#"{"weight_map": {"b": "model-4.safetensors"}}"#.utf8).write(to: other)
      #expect(message()?.contains("model-3.safetensors: cannot be read") == true)
      try Data(#"{"weight_map": {"b": "model-2.safetensors"}}"#.utf8).write(to: other)
      #expect(try WeightFolder(url).names == ["b"])
      try SafetensorsWriter.write(
        ["c": first], to: url.appendingPathComponent("pytorch_model.bin"))
      #expect(try WeightFolder(url).names == ["c"])
      try SafetensorsWriter.write(
        ["x": first], to: url.appendingPathComponent("model-3.safetensors"))
      #expect(try WeightFolder(url).names == ["a", "x"])
    }
  }

  @Test(arguments: [
    (#"{"weight_map": {"a": "model-2.safetensors"}}"#, "tensor a"),
    (#"{"weight_map": {"a": "model-3.safetensors"}}"#, "model-3.safetensors: cannot be read"),
    (#"{"weight_map": {"a": "../model-1.safetensors"}}"#, "without folders"),
    (#"{"weight_map": {"a": "/etc/passwd"}}"#, "without folders"),
    (#"{"weight_map": {"a": ".."}}"#, "without folders"),
    (#"{"weight_map": {"a": "model.safetensors.index.json"}}"#, "file that is a text"),
    (#"{"weight_map": {}}"#, "names in weight_map"),
    (#"{"weight_map": {"a": 1}}"#, "an index of shards"),
    (#"{}"#, "weight_map"),
    ("[[[[[[[[[[", "8 levels"),
    ("", "empty"),
  ])
  func damagedIndexIsRefused(index: String, mention: String) throws {
    try withShards(index) { url in
      let error = #expect(throws: (any Error).self) { try WeightFolder(url) }
      let description = error.map { "\($0)" } ?? ""
      #expect(description.contains(mention), "\(description)")
    }
  }

  @Test func writtenValuesComeBack() throws {
    let wide: [Float] = [0.1, -0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .infinity]
    let narrow: [Float] = [0.1, 65504, -.infinity]
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      try Data("something older".utf8).write(to: url)
      try SafetensorsWriter.write(
        [
          "a/half": .init(shape: [3, 1], values: narrow, precision: .float16),
          "ä \"wide\"\n": .init(shape: [5], values: wide),
          "none": .init(shape: [0, 4], values: []),
          "scalar": .init(shape: [], values: [7]),
        ], metadata: ["note": "\"quoted\""], to: url)
      let file = try SafetensorsFile(url)
      #expect(file.metadata == ["note": "\"quoted\""])
      #expect(file.names.count == 4)
      let readWide = try file.tensor(named: "ä \"wide\"\n")
      #expect(try readWide.floats().map(\.bitPattern) == wide.map(\.bitPattern))
      #expect(readWide.elementType == .float32)
      let readNarrow = try file.tensor(named: "a/half")
      #expect(try readNarrow.floats() == narrow.map { Float(Float16($0)) })
      #expect(readNarrow.elementType == .float16 && readNarrow.shape == [3, 1])
      #expect(try file.tensor(named: "none").shape == [0, 4])
      #expect(try file.tensor(named: "scalar").floats() == [7])
      for name in file.names {
        let tensor = try file.tensor(named: name)
        let address = UInt(bitPattern: tensor.bytes.baseAddress)
        let width = try #require(tensor.elementType).byteCount
        #expect(address % UInt(width) == 0)
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
    }
  }

  @Test func failedWriteLeavesTheOldFile() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      try SafetensorsWriter.write(["a": first], to: url)
      let error = #expect(throws: WeightFileError.self) {
        try SafetensorsWriter.write(
          ["a": .init(shape: [1], values: [70000], precision: .float16)], to: url)
      }
      #expect(error?.description.contains("70000") == true)
      #expect(try SafetensorsFile(url).tensor(named: "a").floats() == [1, 2])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
      let nowhere = folder.appendingPathComponent("missing/model.safetensors")
      #expect(
        throws: WeightFileError.unwritable(
          file: nowhere.path, reason: "No such file or directory")
      ) { try SafetensorsWriter.write(["a": first], to: nowhere) }
    }
  }
}
