import Files
import Foundation
import TestSupport
import Testing

@testable import WeightFiles

/// Files that torch wrote, beside the same tensors as safetensors.
@Suite struct PyTorchGoldenTests {
  static let folders = Goldens.folders(beginning: "pytorch-zip", with: "golden.safetensors")

  /// The files of a folder that torch wrote.
  static func torchFiles(in folder: URL) -> [URL] {
    let extensions: Set = ["bin", "pt", "pth", "ckpt"]
    let files =
      (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil))
      ?? []
    return files.filter { extensions.contains($0.pathExtension) }.sorted { $0.path < $1.path }
  }

  private static let broken = folders.flatMap {
    torchFiles(in: $0.appendingPathComponent("broken"))
  }

  @Test func goldensArePresent() {
    #expect(!Self.folders.isEmpty, "no pytorch-zip*/golden.safetensors in \(Goldens.folder.path)")
    #expect(!Self.broken.isEmpty)
  }

  /// Every tensor has the very bytes that the same tensor has as safetensors.
  @Test(arguments: folders) func valuesAreExact(folder: URL) throws {
    let expected = try SafetensorsFile(folder.appendingPathComponent("golden.safetensors"))
    var compared = 0
    for url in Self.torchFiles(in: folder) {
      let file = try WeightFolder(url)
      #expect(file.metadata.isEmpty && !file.names.isEmpty)
      for name in file.names where expected.contains(name) {
        let (tensor, other) = (try file.tensor(named: name), try expected.tensor(named: name))
        #expect(tensor.name == name && tensor.elementCount == tensor.shape.reduce(1, *))
        let place = "\(name) of \(url.lastPathComponent)"
        #expect(tensor.elementType == other.elementType && tensor.shape == other.shape, "\(place)")
        #expect(tensor.bytes.elementsEqual(other.bytes), "\(place)")
        compared += 1
      }
    }
    #expect(compared > 0, "no file in \(folder.path) has a tensor of golden.safetensors")
  }

  /// A file that runs code might leave something in the current folder: here that of a process of its own,
  /// into which nobody else writes.
  @Test(arguments: broken) func brokenFilesAreRefused(url: URL) async throws {
    let folder = try TemporaryFolder()
    await #expect(processExitsWith: .success) {
      [path = url.path as String, place = folder.url.path as String] in
      #expect(FileManager.default.changeCurrentDirectoryPath(place))
      let error = #expect(throws: (any Error).self) {
        let weights = try WeightFolder(URL(fileURLWithPath: path))
        for name in weights.names { _ = try weights.tensor(named: name) }
      }
      let description = error.map { "\($0)" } ?? ""
      #expect(error is WeightFileError || error is ReadFailure)
      #expect(description.contains(FilePath.name(of: path)), "\(description)")
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
    #expect(left == [])
  }
}
