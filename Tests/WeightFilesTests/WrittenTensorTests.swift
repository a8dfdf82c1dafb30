import Foundation
import Tensors
import TestSupport
import Testing

@testable import WeightFiles

@Suite struct WrittenTensorTests {
  private func bits(_ values: [Float], _ precision: WrittenTensor.Precision) throws -> [UInt16] {
    let tensor = WrittenTensor(shape: [values.count], values: values, precision: precision)
    var bytes: [UInt8] = []
    try tensor.forEachPiece(named: "w", file: "none") { bytes += $0 }
    #expect(bytes.count == tensor.byteCount)
    return stride(from: 0, to: bytes.count, by: 2).map {
      UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8
    }
  }

  @Test func bfloat16IsRoundedToNearestEven() throws {
    let cases: [(UInt32, UInt16)] = [
      (0x3F80_0000, 0x3F80), (0x3F80_7FFF, 0x3F80), (0x3F80_8000, 0x3F80), (0x3F80_8001, 0x3F81),
      (0x3F81_8000, 0x3F82), (0xBF81_8000, 0xBF82), (0x8000_0000, 0x8000), (0x0000_8001, 0x0001),
      (0x7F7F_7FFF, 0x7F7F), (0x7F80_0000, 0x7F80), (0xFF80_0000, 0xFF80),
      (0x7FC0_0000, 0x7FC0), (0x7F80_0001, 0x7FC0), (0x7FFF_FFFF, 0x7FC0), (0xFFFF_FFFF, 0x7FC0),
    ]
    let values = cases.map { Float(bitPattern: $0.0) }
    #expect(try bits(values, .bfloat16) == cases.map(\.1))
  }

  @Test(arguments: [
    (WrittenTensor.Precision.float16, Float(65519), Float(65520)),
    (.bfloat16, Float(bitPattern: 0x7F7F_7FFF), -Float(bitPattern: 0x7F7F_8000)),
  ]) func whatWouldBecomeInfiniteIsRefused(
    precision: WrittenTensor.Precision, last: Float, first: Float
  ) throws {
    _ = try bits([.infinity, last, -last, .nan], precision)
    let error = #expect(throws: WeightFileError.self) { try bits([1, first], precision) }
    guard case .valueOutOfRange("none", "w", first, precision.elementType) = error else {
      Issue.record("\(error.map(\.description) ?? "nothing")")
      return
    }
  }

  /// Names and sizes of tensors whose values say when they are asked for.
  private static let sizes = [("a", 1), ("b", 2), ("c", 9), ("d", 1), ("e", 1), ("", 3)]

  private func tensors(_ asked: @escaping (String) -> Void) -> [String: WrittenTensor] {
    Dictionary(
      uniqueKeysWithValues: Self.sizes.map { name, count in
        let tensor = WrittenTensor(shape: [count]) {
          asked(name)
          return Tensor(repeating: Float(count), shape: [count])
        }
        return (name, tensor)
      })
  }

  @Test func shardsHaveAnIndex() throws {
    let folder = try TemporaryFolder()
    try folder.write("what was one file once", to: "model.safetensors")
    var asked: [String] = []
    let names = try SafetensorsWriter.write(
      tensors { asked.append($0) }, metadata: ["format": "pt"], to: folder.url,
      maximumShardBytes: 16)
    let shards = (1...4).map { "model-0000\($0)-of-00004.safetensors" }
    #expect(names == shards + ["model.safetensors.index.json"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted() == names)
    #expect(asked == ["", "a", "b", "c", "d", "e"])
    let held = try shards.map { try SafetensorsFile(folder.url.appendingPathComponent($0)) }
    #expect(held.map(\.names) == [["", "a"], ["b"], ["c"], ["d", "e"]])
    #expect(held.allSatisfy { $0.metadata == ["format": "pt"] })

    let data = try Data(contentsOf: folder.url.appendingPathComponent(names[4]))
    let index = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(index["metadata"] as? [String: Int] == ["total_size": 68])
    #expect(
      index["weight_map"] as? [String: String] == [
        "": shards[0], "a": shards[0], "b": shards[1], "c": shards[2], "d": shards[3],
        "e": shards[3],
      ])
    let whole = try WeightFolder(folder.url)
    for (name, count) in Self.sizes {
      #expect(
        try whole.tensor(named: name).floats() == Array(repeating: Float(count), count: count))
    }

    let other = try TemporaryFolder()
    try SafetensorsWriter.write(
      tensors { _ in }, metadata: ["format": "pt"], to: other.url, maximumShardBytes: 16)
    for name in names {
      let bytes = try Data(contentsOf: other.url.appendingPathComponent(name))
      #expect(try Data(contentsOf: folder.url.appendingPathComponent(name)) == bytes, "\(name)")
    }
  }

  @Test func whatFitsIsOneFile() throws {
    let folder = try TemporaryFolder()
    for all in [tensors { _ in }, [:]] {
      let names = try SafetensorsWriter.write(all, to: folder.url, maximumShardBytes: 68)
      #expect(names == ["model.safetensors"])
      #expect(try WeightFolder(folder.url).names == all.keys.sorted())
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).count == 1)
  }
}
