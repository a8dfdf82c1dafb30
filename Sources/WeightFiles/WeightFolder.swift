import Foundation

/// All weights of a model: a folder as public models have it, or one file of safetensors or
/// `torch.save`. Of a folder's files the first of these is taken: `model.safetensors`,
/// `model.safetensors.index.json` with its shards, `pytorch_model.bin`,
/// `pytorch_model.bin.index.json` with its shards.
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
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder),
      isFolder.boolValue
    else {
      try self.init(singleFile: url, openedBy: url)
      return
    }
    let found = Self.fileNames.first {
      FileManager.default.fileExists(atPath: url.appendingPathComponent($0).path)
    }
    guard let found else {
      throw WeightFileError.noWeights(folder: url.path, expected: Self.fileNames)
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

  /// The names of all tensors, sorted.
  public var names: [String] { fileIndices.keys.sorted() }

  public func contains(_ name: String) -> Bool { fileIndices[name] != nil }

  /// - Throws: `WeightFileError.missingTensor`, which names the tensor and the folder.
  public func tensor(named name: String) throws -> StoredTensor {
    guard let index = fileIndices[name] else {
      throw WeightFileError.missingTensor(file: url.path, tensor: name)
    }
    return try files[index].tensor(named: name)
  }
}
