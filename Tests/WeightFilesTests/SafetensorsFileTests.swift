import Foundation
import TestSupport
import Testing
import WeightFiles

@Suite struct SafetensorsFileTests {
  @Test func goldensAreThere() {
    #expect(!goldenFiles.isEmpty)
  }

  @Test(arguments: goldenFiles)
  func everyGoldenReads(path: String) throws {
    let url = Goldens.folder.appendingPathComponent(path)
    let folder = try WeightFolder(url)
    #expect(!folder.names.isEmpty)
    var byteCount = 0
    for name in folder.names {
      let tensor = try folder.tensor(named: name)
      #expect(tensor.name == name)
      #expect(tensor.elementCount == tensor.shape.reduce(1, *))
      byteCount += tensor.bytes.count
      if tensor.form.isFloatingPoint {
        let values = try tensor.floats()
        #expect(values.count == tensor.elementCount)
        #expect(values.allSatisfy { $0.isFinite }, "\(name)")
      } else {
        #expect(try tensor.integers().count == tensor.elementCount)
      }
    }
    let bytes = try Data(contentsOf: url)
    let headerCount = bytes.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
    #expect(8 + headerCount + byteCount == bytes.count)
  }

  /// A folder that the library wrote gives the very names of its file's header, and its notes.
  @Test func publicFolderHasItsNamesAndMetadata() throws {
    let url = try #require(Goldens.folders(beginning: "", with: "model.safetensors").first)
    let bytes = try Data(contentsOf: url.appendingPathComponent("model.safetensors"))
    let headerCount = bytes.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
    var header = try #require(
      JSONSerialization.jsonObject(with: bytes[8..<8 + headerCount]) as? [String: Any])
    let folder = try WeightFolder(url)
    #expect(folder.metadata == header.removeValue(forKey: "__metadata__") as? [String: String])
    #expect(folder.names == header.keys.sorted())
    #expect(folder.names.allSatisfy { folder.contains($0) && !folder.contains($0 + "x") })
    let missing = #expect(throws: WeightFileError.self) { try folder.tensor(named: "nothing") }
    #expect(missing?.description.contains("nothing") == true)
    #expect(missing?.description.contains(folder.url.path) == true)
  }

  @Test func metadataOfGoldensIsJSON() throws {
    let texts = try goldenFiles.compactMap { path in
      try SafetensorsFile(Goldens.folder.appendingPathComponent(path)).metadata["config"]
    }
    #expect(!texts.isEmpty)
    for text in texts {
      #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(text.utf8)) }
    }
  }

  @Test func everyElementTypeConvertsExactly() throws {
    // Each extra space moves the data: every alignment must read the same.
    for padding in 0..<8 {
      let spaces = String(repeating: " ", count: padding)
      try withTemporaryFolder { folder in
        let url = folder.appendingPathComponent("model.safetensors")
        try EveryElementType.file(headerPadding: spaces).write(to: url)
        let file = try SafetensorsFile(url)
        func floats(_ name: String) throws -> [Float] { try file.tensor(named: name).floats() }
        func integers(_ name: String) throws -> [Int64] {
          try file.tensor(named: name).integers()
        }
        #expect(try floats("f64") == [1.5, -2])
        #expect(try floats("f32") == [1, Float.leastNonzeroMagnitude])
        #expect(try floats("f16") == [1, -2, 65504, 0x1p-24, .infinity])
        #expect(try floats("bf16") == [1, -2, 3.140625])
        #expect(try floats("none") == [])
        #expect(try integers("i64") == [-2])
        #expect(try integers("i32") == [-3])
        #expect(try integers("i16") == [-4])
        #expect(try integers("i8") == [-5])
        #expect(try integers("u8") == [251])
        #expect(try integers("bool") == [1, 0])
        #expect(try file.tensor(named: "i64").shape == [])
        #expect(try file.tensor(named: "bf16").shape == [3, 1])
        #expect(throws: WeightFileError.self) { try floats("i64") }
        #expect(throws: WeightFileError.self) { try integers("f32") }
      }
    }
  }

  @Test func tensorKeepsItsFileMapped() throws {
    var tensor: StoredTensor?
    do {
      let folder = try WeightFolder(Goldens.folder.appendingPathComponent("bert"))
      tensor = try folder.tensor(named: "bert.embeddings.LayerNorm.weight")
    }
    #expect(try tensor?.floats().count == tensor?.elementCount)
  }
}
