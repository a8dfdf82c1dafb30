import Foundation

/// The shards of a source, of which a bounded number is open.
final class ShardFiles: @unchecked Sendable {  // Unchecked: guarded by `lock`.
  /// A few more than there are lanes, each of which reads in one shard or between two.
  private static let openLimit = 64

  private let paths: [String]
  private let sizes: [Int]
  private let lock = NSLock()
  private var open: [Int: (file: OpenFile, lastUse: Int)] = [:]
  private var uses = 0

  /// - Parameter sizes: The bytes that each shard had when it was walked through.
  init(paths: [String], sizes: [Int]) {
    self.paths = paths
    self.sizes = sizes
  }

  /// The bytes of a file in a shard.
  /// - Throws: ``ImageError``.
  func bytes(_ extent: ShardIndex.Extent, ofShard shard: Int, limit: Int) throws -> [UInt8] {
    guard extent.size <= limit else {
      throw ImageError(reason: .fileTooLarge(bytes: extent.size, limit: limit))
    }
    do {
      let bytes = try file(shard).bytes(at: extent.offset, count: extent.size)
      guard bytes.count == extent.size else {
        throw ImageError(reason: .unreadable("the shard became shorter"))
      }
      return bytes
    } catch let failure as BoundedFile.Failure {
      let error = DatasetError(failure, file: paths[shard], limit: limit)
      throw ImageError(reason: .unreadable("\(error)"))
    }
  }

  private func file(_ shard: Int) throws -> OpenFile {
    try lock.withLock {
      uses += 1
      if let known = open[shard] {
        open[shard]?.lastUse = uses
        return known.file
      }
      let file = try OpenFile(paths[shard])
      guard file.size == sizes[shard] else {
        throw ImageError(
          reason: .unreadable(
            "the shard has changed: it had \(sizes[shard]) bytes and has \(file.size)"))
      }
      if open.count >= Self.openLimit,
        let oldest = open.min(by: { $0.value.lastUse < $1.value.lastUse })?.key
      {
        open[oldest] = nil
      }
      open[shard] = (file, uses)
      return file
    }
  }
}
