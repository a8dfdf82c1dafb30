import Checkpointing
import Foundation

/// A checkpoint as the command line names it: the file itself, or the folder of its run.
enum CheckpointPath {
  /// The file, or the newest sound one of the folder. Newer ones that are not are named on
  /// standard error.
  /// - Throws: `CheckpointError`, or `NoCheckpointError` for a folder without any.
  static func open(_ path: String) throws -> CheckpointFile {
    let url = URL(fileURLWithPath: path)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
    else { return try CheckpointFile.open(url) }
    let (file, passedOver) = try CheckpointFolder(existing: url).newestSound()
    for other in passedOver {
      StandardError.write("warning: passed over: \(other.reason)")
    }
    guard let file else {
      throw NoCheckpointError(folder: path, unsoundCount: passedOver.count)
    }
    return file
  }
}

/// A folder holds no checkpoint that can be used.
struct NoCheckpointError: Error, CustomStringConvertible, LocalizedError {
  let folder: String
  /// How many there are that cannot.
  let unsoundCount: Int

  var description: String {
    unsoundCount == 0
      ? "\(folder) holds no checkpoint (step-00000040.h5 and the like): "
        + "name the folder that a run wrote to, or a file"
      : "\(folder) holds no sound checkpoint: see the warnings above"
  }

  var errorDescription: String? { description }
}
