import CHDF5
import Files
import Foundation

/// Writes checkpoints that are either whole or not there.
///
/// A checkpoint is written to a temporary file beside its final place, closed, sealed with the
/// digest, synchronized, read back and verified, and only then renamed; the folder is
/// synchronized last. Whatever fails, the temporary file goes and earlier checkpoints stay.
public enum CheckpointWriter {
  /// Bytes that one object takes in the file beside its values, more rather than less.
  static let objectOverhead = 1024

  /// Writes `metadata` and `arrays` to `finalURL`, replacing a file of that name.
  ///
  /// The file is the same byte for byte for equal arguments, whatever the arrays' order.
  /// - Throws: `CheckpointError`, or what an array's values threw.
  /// - Precondition: no two arrays have one path; each hands over as many values as its shape
  ///   says; the keys of the metadata's dictionaries are as described there.
  public static func write(
    to finalURL: URL, metadata: CheckpointMetadata, arrays: [CheckpointArray]
  ) throws {
    try write(
      to: finalURL, arrays, needed: estimatedSize(metadata, arrays),
      others: { try MetadataStorage.write(metadata, to: &$0) }, finish: seal)
  }

  /// Writes `arrays` and what `others` adds, all or nothing.
  /// - Parameters:
  ///   - needed: The bytes that the file takes, more rather than less.
  ///   - finish: Called with the closed file before it gets its name.
  static func write(
    to finalURL: URL, _ arrays: [CheckpointArray], needed: UInt64,
    others: (inout HDF5WritableFile) throws -> Void,
    finish: (borrowing AtomicFile) throws -> Void
  ) throws {
    let arrays = arrays.sorted { $0.path < $1.path }
    for (array, next) in zip(arrays, arrays.dropFirst()) {
      precondition(array.path != next.path, "two arrays at \(array.path)")
    }
    // One lock for all of it: two writers of one file would share the temporary file.
    try HDF5Library.locked {
      let temporary = try AtomicFile(finalURL.path)
      do {
        try checkRoom(for: temporary, needed: needed)
        try writeContents(to: temporary, arrays, others, needed: needed)
        try finish(temporary)
        try temporary.commit()
      } catch let failure as SystemFailure where writeFailures.contains(failure.code) {
        throw CheckpointError.writingFailed(finalURL, needed: needed, code: failure.code)
      } catch CheckpointError.library(let operation, _, let message) {
        throw errorNumber(in: message).map { .writingFailed(finalURL, needed: needed, code: $0) }
          ?? CheckpointError.library(operation: operation, finalURL, message: message)
      }
    }
  }

  /// Bytes that the file takes, a little more rather than less.
  static func estimatedSize(_ metadata: CheckpointMetadata, _ arrays: [CheckpointArray]) -> UInt64 {
    UInt64(UserBlock.size + MetadataStorage.estimatedSize(metadata) + estimatedSize(arrays))
  }

  static func estimatedSize(_ arrays: [CheckpointArray]) -> Int {
    arrays.reduce(0) {
      // A group for each component is too many, but they cost little beside the values.
      let depth = $1.path.utf8.count { $0 == UInt8(ascii: "/") }
      return $0 + $1.elementCount * MemoryLayout<Float>.size + (1 + depth) * objectOverhead
    }
  }

  /// Asks before writing, as a file size limit met while writing would end the process by a signal.
  private static func checkRoom(for temporary: borrowing AtomicFile, needed: UInt64) throws {
    let file = temporary.file
    guard OpenFile.sizeLimit() >= needed else {
      throw SystemFailure("write", file.path, code: EFBIG)
    }
    if let available = try file.freeSpace(), available < needed {
      throw CheckpointError.insufficientSpace(
        URL(fileURLWithPath: file.path), needed: needed, available: available)
    }
  }

  private static func writeContents(
    to temporary: borrowing AtomicFile, _ arrays: [CheckpointArray],
    _ others: (inout HDF5WritableFile) throws -> Void, needed: UInt64
  ) throws {
    let url = URL(fileURLWithPath: temporary.temporaryPath)
    var file = try HDF5WritableFile(creating: url)
    do {
      try file.flush()
      // Before the first value, while HDF5 has next to nothing to write: it does not end well
      // when writes fail.
      try temporary.file.reserve(byteCount: needed)
      try others(&file)
      for array in arrays { try write(array, to: &file) }
      try file.flush()
    } catch {
      // Makes room for what HDF5 still writes while it closes the file.
      try? temporary.file.setLength(0)
      throw error
    }
    try file.close()
    // Gives reserved blocks beyond the end back.
    try temporary.file.setLength(temporary.file.length())
  }

  private static func write(_ array: CheckpointArray, to file: inout HDF5WritableFile) throws {
    var callCount = 0
    try array.withValues { values in
      callCount += 1
      precondition(
        values.count == array.elementCount,
        "array \(array.path): \(values.count) values for shape \(array.shape)")
      try file.writeDataset(
        array.path, shape: array.shape, memoryType: chdf5_memory_float(),
        fileType: chdf5_file_float(), bytes: values.baseAddress)
    }
    precondition(callCount == 1, "array \(array.path): values handed over \(callCount) times")
  }

  /// Writes the user block, and makes sure that the disk holds what it says.
  private static func seal(_ temporary: borrowing AtomicFile) throws {
    let file = temporary.file
    let block = UserBlock(
      formatVersion: UInt64(CheckpointMetadata.currentFormatVersion),
      fileLength: UInt64(try file.length()), contentsDigest: try file.digest(from: UserBlock.size))
    try block.bytes.withUnsafeBytes { try file.write($0, at: 0) }
    try file.synchronize(forgetting: true)
    _ = try CheckpointFile.verify(file, URL(fileURLWithPath: temporary.path))
  }

  /// The errnos that say that there is no room or that the device fails.
  private static let writeFailures: Set<Int32> = [ENOSPC, EDQUOT, EFBIG, EIO]

  /// The errno in HDF5's "file write failed: …, errno = 28, error message = …".
  private static func errorNumber(in message: String) -> Int32? {
    message.firstRange(of: "errno = ")
      .flatMap { Int32(message[$0.upperBound...].prefix { $0.isNumber }) }
      .flatMap { writeFailures.contains($0) ? $0 : nil }
  }
}
