import Checkpointing
import Files
import Foundation
import Reporting

/// A run's output folder: what may lie there when a run begins, and what is moved out of its way.
enum RunFolder {
  /// The lines of a run that stay.
  static let transcriptName = "log.txt"

  /// Refuses a folder that holds other things than runs write, such as images or a whole repository:
  /// a slip of the hand, and what lies there would be mixed with checkpoints.
  /// - Throws: `OutputPath.Refusal`.
  static func check(_ path: String, force: Bool) throws {
    try KeyedError.naming("output") {
      try OutputPath.checkFolder(path, force: force) { name in
        isOfRuns(name) || isOutputStream("\(path)/\(name)")
      }
    }
  }

  /// The run's whole recipe beside its checkpoints, for people. A file of that name that a person wrote is
  /// left alone.
  static func write(recipe: String, to folder: URL, say: (String) -> Void) {
    let path = folder.appendingPathComponent("recipe.yaml").path
    let heading = "# All keys of this run as blip2-train read them; written at its start.\n"
    let earlier = try? BoundedFile.contents(of: path, limit: 1 << 20)
    if let earlier, !earlier.starts(with: heading.utf8) { return }
    do {
      try AtomicFile.write(Array((heading + recipe).utf8), to: path)
    } catch {
      say("warning: \(error); the run goes on without it")
    }
  }

  /// Moves the numbers of an earlier run, whose checkpoints are gone, out of a new run's way.
  /// - Throws: `SystemFailure`.
  static func setAsideNumbers(in folder: URL, say: (String) -> Void) throws {
    for name in [MetricsLog.fileName, TensorBoardLog.folderName, transcriptName] {
      if isOutputStream("\(folder.path)/\(name)") { continue }
      let path = folder.appendingPathComponent(name).path
      if isEmpty(path) { continue }
      if let target = try SetAside.move(path) {
        say(
          "set aside as \((target as NSString).lastPathComponent): \(name) of an earlier run in "
            + folder.path)
      }
    }
  }

  /// Keeps a copy of the numbers of steps that a run is about to take again.
  /// - Throws: `SystemFailure`.
  static func copyNumbers(in folder: URL, say: (String) -> Void) throws {
    let path = folder.appendingPathComponent(MetricsLog.fileName).path
    guard let bytes = try? BoundedFile.contents(of: path, limit: .max), !bytes.isEmpty else {
      return
    }
    let copy = SetAside.freeName(for: path)
    try AtomicFile.write(bytes, to: copy)
    say("set aside as \((copy as NSString).lastPathComponent): the numbers of the steps until now")
  }

  /// Checkpoints, numbers, images of them, recipes, logs that people direct here, and hidden files.
  private static func isOfRuns(_ name: String) -> Bool {
    if name.hasPrefix(".") || CheckpointFolder.step(ofFileName: name) != nil { return true }
    if name.contains(".superseded") || name == MetricsLog.fileName { return true }
    if ["done", TensorBoardLog.folderName, "features", transcriptName, "nohup.out"].contains(name) {
      return true
    }
    let ending = (name as NSString).pathExtension.lowercased()
    return ["log", "out", "err", "yaml", "yml", "svg"].contains(ending)
  }

  /// Whether this program's own messages go there.
  static func isOutputStream(_ path: String) -> Bool {
    var named = stat()
    guard stat(path, &named) == 0 else { return false }
    return [STDOUT_FILENO, STDERR_FILENO].contains { descriptor in
      var open = stat()
      return fstat(descriptor, &open) == 0 && open.st_ino == named.st_ino
        && open.st_dev == named.st_dev
    }
  }

  private static func isEmpty(_ path: String) -> Bool {
    var status = stat()
    guard lstat(path, &status) == 0 else { return true }
    if status.st_mode & S_IFMT == S_IFREG { return status.st_size == 0 }
    return (try? FileManager.default.contentsOfDirectory(atPath: path))?.isEmpty ?? false
  }
}
