import Files
import Foundation

/// All weights of a model: a folder as public models have it, or one file of safetensors,
/// `torch.save` or GGUF. Of a folder's files the first of these is taken: `model.safetensors`,
/// `model.safetensors.index.json` with its shards, `pytorch_model.bin`,
/// `pytorch_model.bin.index.json` with its shards. An index without all its shards counts only
/// where nothing else is there.
public struct WeightFolder: Sendable {
  /// The file or folder it was opened by.
  public let url: URL
  /// The notes of all its files; where two give the same key, that of the file first in name order.
  public let metadata: [String: String]
  private let files: [any WeightFile]
  /// Which of `files` holds a tensor.
  private let fileIndices: [String: Int]

  /// Opens a folder of weights, or the file itself.
  ///
  /// - Throws: `WeightFileError`, also where an index names a tensor that its shard does not hold.
  public init(_ url: URL) throws {
    guard FileSystem.isFolder(url.path) else {
      try self.init(singleFile: url, openedBy: url)
      return
    }
    let present = Self.fileNames.filter { Self.exists($0, in: url) }
    // Where none is complete, opening the first names the shard that is missing.
    guard
      let found = try present.first(where: { try Self.isComplete($0, in: url) }) ?? present.first
    else {
      throw WeightFileError.unusable(
        file: url.path, expected: "one of \(Self.fileNames.joined(separator: ", "))",
        found: "none of them")
    }
    let file = url.appendingPathComponent(found)
    if found.hasSuffix(".index.json") {
      try self.init(index: file, folder: url)
    } else {
      try self.init(singleFile: file, openedBy: url)
    }
  }

  private static let fileNames = [
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
    "pytorch_model.bin.index.json",
  ]

  private static func exists(_ name: String, in folder: URL) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path)
  }

  /// Whether all files are there that a file asks for.
  private static func isComplete(_ name: String, in folder: URL) throws -> Bool {
    guard name.hasSuffix(".index.json") else { return true }
    let shards = try ShardIndex(folder.appendingPathComponent(name)).fileNames.values
    return Set(shards).allSatisfy { exists($0, in: folder) }
  }

  private init(singleFile: URL, openedBy url: URL) throws {
    let file = try WeightFileFormat.open(singleFile)
    self.url = url
    metadata = file.metadata
    files = [file]
    fileIndices = Dictionary(uniqueKeysWithValues: file.names.map { ($0, 0) })
  }

  private init(index: URL, folder: URL) throws {
    let shardNames = try ShardIndex(index).fileNames
    let orderedNames = Set(shardNames.values).sorted()
    let files = try orderedNames.map {
      try WeightFileFormat.open(folder.appendingPathComponent($0))
    }
    let positions = Dictionary(uniqueKeysWithValues: zip(orderedNames, files.indices))
    let fileIndices = shardNames.compactMapValues { positions[$0] }
    for (name, index) in fileIndices where !files[index].contains(name) {
      throw WeightFileError.missingTensor(file: files[index].file.path, tensor: name)
    }
    url = folder
    metadata = files.reduce(into: [:]) { $0.merge($1.metadata) { first, _ in first } }
    self.files = files
    self.fileIndices = fileIndices
  }

  /// The GGUF file where the weights are one, for its notes that are more than text.
  public var gguf: GGUFFile? { files.first as? GGUFFile }

  /// The names of all tensors, sorted.
  public var names: [String] { fileIndices.keys.sorted() }

  public func contains(_ name: String) -> Bool { fileIndices[name] != nil }

  /// - Throws: `WeightFileError.missingTensor`, which names the tensor and the folder, or
  ///   `.unsupportedElementType`.
  public func tensor(named name: String) throws -> StoredTensor {
    try file(of: name).tensor(named: name)
  }

  /// A tensor's shape, without making the tensor.
  /// - Throws: What `tensor(named:)` throws.
  public func shape(of name: String) throws -> [Int] { try file(of: name).shape(of: name) }

  private func file(of name: String) throws -> any WeightFile {
    guard let index = fileIndices[name] else {
      throw WeightFileError.missingTensor(file: url.path, tensor: name)
    }
    return files[index]
  }
}
