import Foundation
import TestSupport
import Testing

@testable import WeightFiles

@Suite struct PyTorchGoldenTests {
  private static let folder = "pytorch-zip"
  private static let broken = Goldens.files(in: "pytorch-zip/broken", ending: "")
  /// The files that hold weights, whatever their extension.
  private static let files = Goldens.files(in: folder, ending: "").filter {
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: $0.path, isDirectory: &isFolder)
    return !isFolder.boolValue && $0.pathExtension != "safetensors"
  }

  @Test func goldensAreThere() {
    #expect(Self.files.count >= 3 && Self.broken.count >= 8)
  }

  /// Every tensor has the very bytes that the same tensor has as safetensors.
  @Test(arguments: files) func valuesAreExact(url: URL) throws {
    let expected = try SafetensorsFile(
      Goldens.folder.appendingPathComponent("\(Self.folder)/golden.safetensors"))
    let file = try WeightFolder(url)
    #expect(file.metadata.isEmpty && !file.names.isEmpty)
    for name in file.names {
      let tensor = try file.tensor(named: name)
      #expect(tensor.name == name && tensor.elementCount == tensor.shape.reduce(1, *))
      guard expected.contains(name) else { continue }
      let other = try expected.tensor(named: name)
      #expect(tensor.elementType == other.elementType && tensor.shape == other.shape, "\(name)")
      #expect(tensor.bytes.elementsEqual(other.bytes), "\(name)")
    }
    // A file that holds one of the golden's tensors holds all of them, and others are empty.
    let common = Set(file.names).intersection(expected.names)
    if common.isEmpty {
      #expect(file.names == ["p"])
    } else {
      #expect(common == Set(expected.names))
      for name in Set(file.names).subtracting(common) {
        #expect(try file.tensor(named: name).elementCount == 0, "\(name)")
      }
    }
  }

  @Test func parameterIsATensor() throws {
    let url = Goldens.folder.appendingPathComponent("\(Self.folder)/parameter.bin")
    let parameter = try WeightFolder(url).tensor(named: "p")
    #expect(parameter.elementType == .float32 && parameter.shape == [2, 3])
    #expect(try parameter.floats() == [1, 1, 1, 1, 1, 1])
  }

  /// What lies in the file as it is wanted is not copied.
  @Test func slicesAreViews() throws {
    let url = Goldens.folder.appendingPathComponent("\(Self.folder)/state_dict.bin")
    let file = try PyTorchFile(url)
    let whole = try file.tensor(named: "whole_shared").bytes
    let slice = try file.tensor(named: "slice_of_shared").bytes
    #expect(slice.baseAddress == whole.baseAddress.map { $0 + 40 })
    let transposed = try file.tensor(named: "a_transposed")
    #expect(transposed.owner !== file.file)
    #expect(try file.tensor(named: "a").owner === file.file)
  }

  @Test(arguments: broken) func brokenFilesAreRefused(url: URL) throws {
    // `runs_code.bin` would make a file in the current folder.
    let manager = FileManager.default
    let before = try manager.contentsOfDirectory(atPath: manager.currentDirectoryPath).sorted()
    let error = #expect(throws: WeightFileError.self) { try WeightFolder(url) }
    let description = error?.description ?? ""
    #expect(description.contains(url.lastPathComponent), "\(description)")
    let after = try manager.contentsOfDirectory(atPath: manager.currentDirectoryPath).sorted()
    #expect(before == after)
  }

  /// The messages of the files whose names tell what is wrong with them.
  @Test(arguments: [
    ("deep_nesting", "100000 deep"), ("empty", "empty"), ("huge_string", "2147483647 bytes"),
    ("no_pickle_end", "the end of the pickle"), ("old_format", "before version 1.6"),
    ("runs_code", "posix.system"), ("storage_too_short", "tensor w: expected 64 elements"),
    ("truncated", "cut short"),
  ])
  func messagesSayWhatIsWrong(name: String, mention: String) {
    let url = Goldens.folder.appendingPathComponent("\(Self.folder)/broken/\(name).bin")
    let error = #expect(throws: WeightFileError.self) { try WeightFolder(url) }
    let description = error?.description ?? ""
    #expect(description.contains(mention), "\(description)")
  }
}
