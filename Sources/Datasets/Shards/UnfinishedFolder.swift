import Foundation

/// A folder that gets its name when all that belongs in it has been written.
final class UnfinishedFolder {
  let path: String
  private let output: String
  private var isFinished = false

  /// - Throws: `DatasetError.outputExists` where there is something other than an empty folder.
  init(becoming output: URL) throws {
    self.output = output.standardizedFileURL.path
    let there = try? FileManager.default.contentsOfDirectory(atPath: self.output)
    guard there.map(\.isEmpty) ?? !FileManager.default.fileExists(atPath: self.output) else {
      throw DatasetError.outputExists(folder: self.output)
    }
    do {
      try FileManager.default.createDirectory(
        at: output.standardizedFileURL.deletingLastPathComponent(),
        withIntermediateDirectories: true)
    } catch {
      throw DatasetError.unwritable(file: self.output, detail: error.localizedDescription)
    }
    var template = Array("\(self.output).unfinished-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Self.systemError(self.output) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  func finish() throws {
    guard chmod(path, 0o755) == 0 else { throw Self.systemError(output) }
    try Self.synchronize(path)
    // An empty folder is replaced, anything else refuses.
    guard rename(path, output) == 0 else {
      if [ENOTEMPTY, EEXIST, ENOTDIR].contains(errno) {
        throw DatasetError.outputExists(folder: output)
      }
      throw Self.systemError(output)
    }
    isFinished = true
    try Self.synchronize((output as NSString).deletingLastPathComponent)
  }

  /// What was begun and came to nothing is of no use to anybody.
  func removeUnlessFinished() {
    if !isFinished { try? FileManager.default.removeItem(atPath: path) }
  }

  /// Makes sure of the disk, without which a name may outlive a crash and what it names may not.
  private static func synchronize(_ folder: String) throws {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemError(folder) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw systemError(folder) }
  }

  private static func systemError(_ file: String) -> DatasetError {
    .unwritable(file: file, detail: String(cString: strerror(errno)))
  }
}
