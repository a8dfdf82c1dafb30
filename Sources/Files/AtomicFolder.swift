import Foundation

/// A folder in the making that takes its name when all that belongs in it has been written.
public final class AtomicFolder {
  /// The name that it will have.
  public let target: String
  /// Where it lies until then.
  public let path: String
  private var isFinished = false

  /// - Throws: `SystemFailure`; `OutputPath.Refusal` where there is something other than an empty folder.
  public init(becoming target: String) throws {
    self.target = target
    try Self.checkRoom(target)
    try FileSystem.createFolder(FilePath.folder(of: target))
    var template = FileName.bytes("\(target).unfinished-XXXXXX") + [0]
    let isMade = template.withUnsafeMutableBytes { bytes in
      bytes.assumingMemoryBound(to: CChar.self).baseAddress.map { mkdtemp($0) != nil } ?? false
    }
    guard isMade else { throw SystemFailure("create folder", target) }
    path = FileName.text(template.dropLast())
  }

  private static func checkRoom(_ target: String) throws {
    do throws(SystemError) {
      switch try FileSystem.kind(of: target) {
      case nil: return
      case .folder where try FileSystem.names(in: target).isEmpty: return
      default: break
      }
    } catch {
      throw SystemFailure("create folder", target, error)
    }
    throw refusal(target)
  }

  private static func refusal(_ target: String) -> OutputPath.Refusal {
    .occupied(path: target, what: "it is no empty folder", canForce: false)
  }

  /// Gives the folder its name; an empty folder of that name is replaced.
  /// - Throws: As `init`.
  public func finish() throws {
    guard FileName.withCString(path, { chmod($0, 0o755) }) == 0 else {
      throw SystemFailure("create folder", target)
    }
    try FileSystem.synchronize(folder: path)
    do throws(SystemFailure) {
      try AtomicFile.rename(path, to: target)
    } catch {
      throw [ENOTEMPTY, EEXIST, ENOTDIR].contains(error.code) ? Self.refusal(target) : error
    }
    isFinished = true
  }

  /// What was begun and came to nothing is of no use to anybody.
  public func removeUnlessFinished() {
    guard !isFinished else { return }
    for name in (try? FileSystem.names(in: path)) ?? [] {
      _ = FileName.withCString(FilePath.joined(path, name)) { unlink($0) }
    }
    _ = FileName.withCString(path) { rmdir($0) }
  }
}
