import CHDF5
import Files
import Foundation

/// A checkpoint that was found whole, open for reading.
///
/// The digest guards against damage, not against a forger: HDF5 1.10 is not safe on files made
/// with ill intent, so open only checkpoints of known origin.
public final class CheckpointFile {
  public let url: URL
  public let metadata: CheckpointMetadata
  /// All arrays of the file, ordered by path.
  public let arrays: [CheckpointArrayDescription]

  private let file: HDF5ReadableFile
  private let arraysByPath: [String: CheckpointArrayDescription]

  /// Verifies the whole file, then opens it.
  /// - Throws: `CheckpointError`: a missing file, another kind of file, a damaged one, one of a
  ///   newer format version, or one with another layout.
  public static func open(_ url: URL) throws -> CheckpointFile {
    let length = try verify(url)
    return try HDF5Library.locked { try CheckpointFile(opening: url, length: length) }
  }

  /// Holds the file's bytes against the digests in its user block, without HDF5.
  /// - Returns: the length in bytes.
  @discardableResult
  static func verify(_ url: URL) throws -> UInt64 {
    do {
      return try verify(OpenFile(reading: url.path), url)
    } catch let failure as ReadFailure {
      switch failure.reason {
      case .system(let error) where error.code == ENOENT: throw CheckpointError.missing(url)
      case .notRegular:
        throw CheckpointError.notACheckpoint(url, reason: "it is no regular file")
      default: throw failure
      }
    }
  }

  /// - Parameter url: What errors name.
  static func verify(_ file: OpenFile, _ url: URL) throws -> UInt64 {
    let length = UInt64(try file.length())
    let block = try UserBlock(
      parsing: try file.bytes(at: 0, count: UserBlock.size), foundLength: length, file: url)
    let found = try file.digest(from: UserBlock.size)
    guard found == block.contentsDigest else {
      throw CheckpointError.damaged(
        url, part: "contents", expected: block.contentsDigest.hexadecimal,
        found: found.hexadecimal)
    }
    return length
  }

  private init(opening url: URL, length: UInt64) throws {
    let file = try HDF5ReadableFile(opening: url, length: length)
    let metadata = try MetadataStorage.read(from: file)
    guard 1...CheckpointMetadata.currentFormatVersion ~= metadata.formatVersion else {
      throw CheckpointError.wrongLayout(
        url, path: ArrayPath.metadataGroup + "/formatVersion",
        expected: "1 to \(CheckpointMetadata.currentFormatVersion)",
        found: "\(metadata.formatVersion)")
    }
    let arrays = try file.datasetPaths()
      .filter { !$0.hasPrefix(ArrayPath.metadataGroup + "/") }
      .map { path in
        let dataset = try file.dataset(path)
        return CheckpointArrayDescription(
          path: path, shape: dataset.shape, elementType: dataset.elementType)
      }
    self.url = url
    self.file = file
    self.metadata = metadata
    self.arrays = arrays.sorted { $0.path < $1.path }
    self.arraysByPath = Dictionary(arrays.map { ($0.path, $0) }, uniquingKeysWith: { $1 })
  }

  /// The array at `path`, or nil.
  public func description(of path: String) -> CheckpointArrayDescription? { arraysByPath[path] }

  /// The values of the array at `path`, in row-major order.
  /// - Throws: `CheckpointError.missingArray`, `.wrongElementType`, or the library's error.
  public func read(_ path: String) throws -> [Float] {
    let description = try checkedDescription(of: path)
    // Bounded by the length of the file, which the dataset was held against.
    let count = description.shape.reduce(1, *)
    return try [Float](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      try read(description, into: buffer.baseAddress)
      initializedCount = count
    }
  }

  /// Reads the array at `path` into `destination`, in row-major order.
  /// - Throws: `CheckpointError.missingArray`, `.wrongElementType`, `.wrongShape` where the file
  ///   has another shape than `expectedShape`, or the library's error.
  /// - Precondition: `destination` has as many elements as `expectedShape`.
  public func read(
    _ path: String, into destination: UnsafeMutableBufferPointer<Float>, expectedShape: [Int]
  ) throws {
    precondition(
      destination.count == expectedShape.reduce(1, *),
      "array \(path): room for \(destination.count) values of shape \(expectedShape)")
    let description = try checkedDescription(of: path)
    guard description.shape == expectedShape else {
      throw CheckpointError.wrongShape(
        url, path: path, expected: expectedShape, found: description.shape)
    }
    try read(description, into: destination.baseAddress)
  }

  private func checkedDescription(of path: String) throws -> CheckpointArrayDescription {
    guard let description = arraysByPath[path] else {
      throw CheckpointError.missingArray(url, path: path)
    }
    let expected = CheckpointArrayDescription.readableElementType
    guard description.elementType == expected else {
      throw CheckpointError.wrongElementType(
        url, path: path, expected: expected, found: description.elementType)
    }
    return description
  }

  private func read(
    _ description: CheckpointArrayDescription, into destination: UnsafeMutableRawPointer?
  ) throws {
    try HDF5Library.locked {
      try file.dataset(description.path).read(as: chdf5_memory_float(), into: destination)
    }
  }
}
