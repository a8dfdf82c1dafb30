import Files
import Foundation

/// One file of weights, whatever its format.
public protocol WeightFile: Sendable {
  var file: MappedFile { get }
  /// The file's own notes that are text, such as `format`; empty for formats without.
  var metadata: [String: String] { get }
  /// The names of all tensors, sorted.
  var names: [String] { get }
  func contains(_ name: String) -> Bool
  /// A tensor's shape, without making the tensor.
  /// - Throws: What `tensor(named:)` throws.
  func shape(of name: String) throws -> [Int]
  /// - Throws: `WeightFileError.missingTensor`, or `.unsupportedElementType` where one tensor of a
  ///   type that is not read does not keep the file from being opened.
  func tensor(named name: String) throws -> StoredTensor
}

/// Which reader a file is for.
enum WeightFileFormat {
  /// Opens a file by what it begins with. Its extension only decides how a file of no known kind is
  /// spoken of.
  ///
  /// - Throws: `WeightFileError`.
  static func open(_ url: URL) throws -> any WeightFile {
    let file = try MappedFile(url.path)
    let fileExtension = url.pathExtension.lowercased()
    if file.withBytes(GGUFFile.isGGUF) { return try GGUFFile(file) }
    if file.withBytes(TorchArchive.isZip) { return try PyTorchFile(file) }
    // A header's text follows its length.
    if file.withBytes({ $0.count > 8 && $0[8] == UInt8(ascii: "{") }) {
      return try SafetensorsFile(file)
    }
    if let kind = file.withBytes({ FileKind($0) }) {
      throw WeightFileError.unsupportedFormat(
        file: file.path, found: kind.name, remedy: kind.advice)
    }
    if torchExtensions.contains(fileExtension) { return try PyTorchFile(file) }
    if fileExtension == "gguf" { return try GGUFFile(file) }
    return try SafetensorsFile(file)
  }

  private static let torchExtensions: Set<String> = ["bin", "ckpt", "pt", "pth"]
}
