import CHDF5
import Files
import Foundation

/// Writes results for other programs into an HDF5 file: float32 arrays, whole numbers and texts.
///
/// The file is written as a checkpoint is, whole or not at all, but it is none: it has no digest.
public enum ResultWriter {
  /// A list in the file beside the arrays.
  public enum List: Sendable {
    /// Stored as 64-bit integers, `[count]`.
    case integers([Int])
    /// Stored as UTF-8 of one fixed length, filled up with zeros, `[count]`.
    case texts([String])
    /// Names of files, stored as texts are, by their own bytes.
    case names([String])

    var byteCount: Int {
      switch self {
      case .integers(let values): values.count * 8
      case .texts(let texts), .names(let texts):
        texts.count * ((texts.map(\.utf8.count).max() ?? 0) + 1)
      }
    }
  }

  /// - Parameter lists: By path, as arrays have them.
  /// - Throws: `CheckpointError`.
  public static func write(
    to url: URL, arrays: [CheckpointArray], lists: [String: List]
  ) throws {
    let listSize = lists.values.reduce(0) {
      $0 + $1.byteCount + 2 * CheckpointWriter.objectOverhead
    }
    let size = UserBlock.size + CheckpointWriter.estimatedSize(arrays) + listSize
    try CheckpointWriter.write(to: url, arrays, needed: UInt64(size)) { file in
      for (path, list) in lists.sorted(by: { $0.key < $1.key }) {
        try write(list, path, to: &file)
      }
    } finish: {
      try $0.file.synchronize(forgetting: true)
    }
  }

  private static func write(
    _ list: List, _ path: String, to file: inout HDF5WritableFile
  ) throws {
    precondition(ArrayPath.isValid(path), "list path \(path.debugDescription) is not valid")
    switch list {
    case .integers(let values):
      try values.map(Int64.init).withUnsafeBytes { bytes in
        try file.writeDataset(
          path, shape: [values.count], memoryType: chdf5_memory_int64(),
          fileType: chdf5_file_int64(), bytes: bytes.baseAddress)
      }
    case .texts(let texts):
      try file.writeTexts(path, texts.map { Array($0.utf8) }, shape: [texts.count])
    case .names(let names):
      try file.writeTexts(path, names.map(FileName.bytes), shape: [names.count])
    }
  }
}
