import Files
import Foundation

/// What can go wrong with a checkpoint or its folder.
public enum CheckpointError: Error, Equatable {
  /// The file or folder does not exist.
  case missing(URL)
  /// The file is something else; `reason` says how that was seen.
  case notACheckpoint(URL, reason: String)
  /// The file is shorter or longer than it was when written, in bytes.
  case wrongLength(URL, expected: UInt64, found: UInt64)
  /// The bytes are not those written. `part` names where; the digests are SHA-256, hexadecimal.
  case damaged(URL, part: String, expected: String, found: String)
  /// The file was written by a later program.
  case newerFormatVersion(URL, found: Int, supported: Int)
  /// There is no array of that path.
  case missingArray(URL, path: String)
  /// The array of that path has another shape.
  case wrongShape(URL, path: String, expected: [Int], found: [Int])
  /// The array of that path does not hold float32 numbers.
  case wrongElementType(URL, path: String, expected: String, found: String)
  /// The array of that path holds a number that is not finite, or none that it can hold.
  case unusableNumbers(URL, path: String, found: String)
  /// The file is undamaged but its contents are not laid out as documented.
  case wrongLayout(URL, path: String, expected: String, found: String)
  /// The volume has too little space, as seen before anything was written; in bytes.
  case insufficientSpace(URL, needed: UInt64, available: UInt64)
  /// Writing stopped: full disk, quota, file size limit or device error. `code` is an errno.
  case writingFailed(URL, needed: UInt64, code: Int32)
  /// HDF5 reported an error; `message` is its own.
  case library(operation: String, URL, message: String)
  /// Another run holds the folder. `process` is what it wrote into the lock file.
  case folderLocked(URL, process: Int32?)
}

extension CheckpointError: CustomStringConvertible, LocalizedError {
  public var errorDescription: String? { description }

  public var description: String {
    switch self {
    case .missing(let url):
      "\(url.path) does not exist"
    case .notACheckpoint(let file, let reason):
      "\(file.path) is not a checkpoint: \(reason)"
    case .wrongLength(let file, let expected, let found):
      "\(file.path) is \(found < expected ? "truncated" : "too long"): "
        + "expected \(expected) bytes, found \(found); use an earlier checkpoint"
    case .damaged(let file, let part, let expected, let found):
      "\(file.path) is damaged: digest of the \(part): expected \(expected), found \(found); "
        + "use an earlier checkpoint"
    case .newerFormatVersion(let file, let found, let supported):
      "\(file.path) has format version \(found), this program reads up to \(supported): "
        + "use the program that wrote it or a later one"
    case .missingArray(let file, let path):
      "\(ArrayPath.displayName(path)): not in \(file.path); "
        + "was the checkpoint made with another configuration?"
    case .wrongShape(let file, let path, let expected, let found):
      "\(ArrayPath.displayName(path)): expected \(expected), found \(found) in \(file.path)"
    case .wrongElementType(let file, let path, let expected, let found):
      "\(ArrayPath.displayName(path)): expected \(expected) elements, found \(found) in "
        + file.path
    case .unusableNumbers(let file, let path, let found):
      "\(ArrayPath.displayName(path)) holds \(found) in \(file.path): "
        + "take an earlier checkpoint, from before training went wrong"
    case .wrongLayout(let file, let path, let expected, let found):
      "/\(path): expected \(expected), found \(found) in \(file.path)"
    case .insufficientSpace(let file, let needed, let available):
      "cannot write \(file.path): \(needed) bytes are needed, \(available) are free"
    case .writingFailed(let file, let needed, let code):
      "cannot write \(file.path), which needs \(needed) bytes: \(SystemError(code).words)"
    case .library(let operation, let file, let message):
      "HDF5 cannot \(operation) in \(file.path): \(message.isEmpty ? "no reason given" : message)"
    case .folderLocked(let folder, let process):
      "\(folder.path) is in use by another run"
        + (process.map { " (process \($0))" } ?? "") + ": stop it or choose another folder"
    }
  }
}
