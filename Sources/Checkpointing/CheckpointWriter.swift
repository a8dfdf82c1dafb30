import CHDF5
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
    finish: (borrowing TemporaryFile) throws -> Void
  ) throws {
    let arrays = arrays.sorted { $0.path < $1.path }
    for (array, next) in zip(arrays, arrays.dropFirst()) {
      precondition(array.path != next.path, "two arrays at \(array.path)")
    }
    // One lock for all of it: two writers of one file would share the temporary file.
    try HDF5Library.locked {
      let temporary = try TemporaryFile(for: finalURL)
      let temporaryURL = temporary.file.url
      do {
        try checkRoom(for: temporary, needed: needed)
        try writeContents(to: temporary, arrays, others, needed: needed)
        try finish(temporary)
        try temporary.moveIntoPlace()
      } catch let error as CheckpointError {
        throw error.aboutWriting(finalURL, insteadOf: temporaryURL, needed: needed)
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
  private static func checkRoom(for temporary: borrowing TemporaryFile, needed: UInt64) throws {
    guard OpenFile.fileSizeLimit() >= needed else {
      throw CheckpointError.writingFailed(temporary.file.url, needed: needed, code: EFBIG)
    }
    if let available = try temporary.file.freeSpace(), available < needed {
      throw CheckpointError.insufficientSpace(
        temporary.file.url, needed: needed, available: available)
    }
  }

  private static func writeContents(
    to temporary: borrowing TemporaryFile, _ arrays: [CheckpointArray],
    _ others: (inout HDF5WritableFile) throws -> Void, needed: UInt64
  ) throws {
    var file = try HDF5WritableFile(creating: temporary.file.url)
    do {
      try file.flush()
      // Before the first value, while HDF5 has next to nothing to write: it does not end well
      // when writes fail.
      if let code = try temporary.file.reserve(byteCount: needed) {
        throw CheckpointError.writingFailed(temporary.file.url, needed: needed, code: code)
      }
      try others(&file)
      for array in arrays { try write(array, to: &file) }
      try file.flush()
    } catch {
      // Makes room for what HDF5 still writes while it closes the file.
      try? temporary.file.truncate()
      throw error
    }
    try file.close()
    try temporary.file.releaseReserve()
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
  private static func seal(_ temporary: borrowing TemporaryFile) throws {
    let file = temporary.file
    let block = UserBlock(
      formatVersion: UInt64(CheckpointMetadata.currentFormatVersion),
      fileLength: try file.regularFileLength() ?? 0,
      contentsDigest: try file.digest(from: UserBlock.size))
    try file.write(block.bytes, at: 0)
    try file.synchronizeAndForget()
    _ = try CheckpointFile.verify(file)
  }
}

extension CheckpointError {
  /// The error with the file that was asked for in place of the temporary one, and recognised as
  /// a full disk or the like where HDF5's message holds such an errno.
  fileprivate func aboutWriting(_ file: URL, insteadOf temporary: URL, needed: UInt64) -> Self {
    switch self {
    case .insufficientSpace(temporary, let needed, let available):
      .insufficientSpace(file, needed: needed, available: available)
    case .writingFailed(temporary, let needed, let code):
      .writingFailed(file, needed: needed, code: code)
    case .system(_, temporary, let code) where WriteFailure.codes.contains(code):
      .writingFailed(file, needed: needed, code: code)
    case .system(let operation, temporary, let code):
      .system(operation: operation, file, code: code)
    case .library(let operation, temporary, let message):
      Self.errorNumber(in: message).map { .writingFailed(file, needed: needed, code: $0) }
        ?? .library(operation: operation, file, message: message)
    default: self
    }
  }

  /// The errno in HDF5's "file write failed: …, errno = 28, error message = …".
  private static func errorNumber(in message: String) -> Int32? {
    message.firstRange(of: "errno = ")
      .flatMap { Int32(message[$0.upperBound...].prefix { $0.isNumber }) }
      .flatMap { WriteFailure.codes.contains($0) ? $0 : nil }
  }
}
