import Files

/// The shards of a source, as they were when it was opened.
struct ShardFiles: Sendable {
  private let files: CachedFiles
  private let sizes: [Int]

  /// - Parameter sizes: The bytes that each shard had when it was walked through.
  init(paths: [String], sizes: [Int]) {
    files = CachedFiles(paths)
    self.sizes = sizes
  }

  /// What a sample's files say.
  /// - Throws: `Problem`, ``ImageError``, or `DatasetError.systemFailure`.
  func text(of sample: ShardIndex.Files, ofShard shard: Int) throws -> ShardText {
    func bytes(_ extent: ShardIndex.Extent?) throws -> [UInt8]? {
      try extent.map { try self.bytes($0, ofShard: shard, limit: ShardText.sizeLimit) }
    }
    return try ShardText(json: bytes(sample.json)) { try bytes(sample.text) }
  }

  /// The bytes of a file in a shard.
  /// - Throws: ``ImageError``, or `DatasetError.systemFailure`.
  func bytes(_ extent: ShardIndex.Extent, ofShard shard: Int, limit: Int) throws -> [UInt8] {
    guard extent.size <= limit else {
      throw ImageError(reason: .fileTooLarge(bytes: extent.size, limit: limit))
    }
    do {
      return try files.read(shard) { file in
        guard file.size == sizes[shard] else {
          throw ImageError(
            reason: .unreadable(
              "the shard has changed: it had \(sizes[shard]) bytes and has \(file.size)"))
        }
        let bytes = try file.bytes(at: extent.offset, count: extent.size)
        guard bytes.count == extent.size else {
          throw ImageError(reason: .unreadable("the shard became shorter"))
        }
        return bytes
      }
    } catch let failure as ReadFailure {
      let error = DatasetError(failure)
      if error.isSystemFailure { throw error }
      throw ImageError(reason: .unreadable("\(error)"))
    }
  }
}
