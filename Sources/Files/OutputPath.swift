import Foundation

/// Where a command is going to write: looked at before the work, so that nothing is overwritten by a slip
/// and hours of work do not end at a folder that is not there.
public enum OutputPath {
  /// Why a command does not write there.
  public enum Refusal: Error, Equatable {
    /// Something else lies there; `what` says it.
    case occupied(path: String, what: String, canForce: Bool)
    case unwritable(path: String, reason: String)
    case empty
  }

  /// Refuses a path for a file where something else lies or nothing can be written.
  /// - Parameters:
  ///   - force: Whether a file of any kind may be replaced; nil where the command has no such option.
  ///   - isOwn: Whether a file that begins so was written by such a command, and may be replaced.
  /// - Throws: `Refusal`.
  public static func checkFile(
    _ path: String, force: Bool?, isOwn: (_ beginning: [UInt8]) -> Bool = { _ in false }
  ) throws {
    try checkName(path)
    guard let status = FileSystem.status(ofName: path) else {
      guard errno == ENOENT else { throw Refusal.unwritable(path: path, reason: Self.reason) }
      return try checkFolder(of: path)
    }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: throw Refusal.unwritable(path: path, reason: "it is a folder")
    case S_IFREG where force == true || status.st_size == 0: break
    case S_IFREG:
      guard isOwn(beginning(of: path)) else {
        throw Refusal.occupied(path: path, what: "another file", canForce: force != nil)
      }
    case S_IFLNK:
      if force != true {
        throw Refusal.occupied(path: path, what: "a link", canForce: force != nil)
      }
    default: throw Refusal.unwritable(path: path, reason: "it is a device, a pipe or a socket")
    }
    try checkFolder(of: path)
  }

  /// Refuses a path for a folder where there is a file, or a folder that is not empty.
  /// - Parameters:
  ///   - force: Whether the folder may hold anything.
  ///   - isLinkRefused: Whether a link to a folder is refused as well.
  ///   - isOwn: Whether an entry of that name may lie there.
  /// - Throws: `Refusal`.
  public static func checkFolder(
    _ path: String, force: Bool = false, isLinkRefused: Bool = false,
    isOwn: (_ name: String) -> Bool = { _ in false }
  ) throws {
    try checkName(path)
    if isLinkRefused, FileSystem.isLink(path) {
      throw Refusal.occupied(path: path, what: "a link", canForce: false)
    }
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == ENOENT { return }
      throw Refusal.unwritable(path: path, reason: reason)
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw Refusal.unwritable(path: path, reason: "it is a file, and a folder is wanted")
    }
    if force { return }
    let names: [String]
    do {
      names = try FileSystem.names(in: path)
    } catch {
      throw Refusal.unwritable(path: path, reason: error.words)
    }
    let others = names.filter { !isOwn($0) }.sorted()
    guard let first = others.first else { return }
    let more = others.count > 1 ? " and \(others.count - 1) more" : ""
    throw Refusal.occupied(path: path, what: first + more, canForce: true)
  }

  /// Refuses a folder that holds what is read, whatever may be replaced there.
  /// - Parameter sources: Folders and files.
  /// - Throws: `Refusal`.
  public static func checkFolder(_ path: String, isApartFrom sources: [String]) throws {
    guard FileSystem.isFolder(path) else { return }
    func place(_ path: String) -> String {
      let folder = FileSystem.isFolder(path) ? path : FilePath.folder(of: path)
      return URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
    }
    let folder = place(path)
    guard let source = sources.first(where: { place($0) == folder }) else { return }
    throw Refusal.unwritable(path: path, reason: "\(source) is read from there; choose another")
  }

  /// The folder, or the nearest above it that is there: where a folder would be made, or written to.
  /// Nothing is made.
  /// - Throws: `SystemFailure` where that is forbidden.
  public static func place(ofFolder path: String) throws(SystemFailure) -> String {
    var place = FilePath.absolute(FilePath.withoutEndingSlashes(path))
    while FileSystem.status(ofName: place) == nil {
      guard errno == ENOENT else { throw SystemFailure("create folder", path) }
      place = FilePath.folder(of: place)
    }
    guard FileSystem.isFolder(place) else {
      throw SystemFailure("create folder", path, code: ENOTDIR)
    }
    guard FileName.withCString(place, { access($0, W_OK | X_OK) }) == 0 else {
      throw SystemFailure("write to folder", place)
    }
    return place
  }

  private static func checkName(_ path: String) throws {
    guard !path.isEmpty else { throw Refusal.empty }
    guard FileName.isPlain(path) else {
      throw Refusal.unwritable(
        path: FileName.displayed(path), reason: "names that are not UTF-8 are read, not written")
    }
  }

  private static func checkFolder(of path: String) throws {
    let folder = (path as NSString).deletingLastPathComponent
    let named = folder.isEmpty ? "." : folder
    guard access(named, W_OK | X_OK) == 0 else {
      throw Refusal.unwritable(path: path, reason: "its folder \(named): \(reason)")
    }
  }

  private static func beginning(of path: String) -> [UInt8] {
    (try? OpenFile(reading: path).bytes(at: 0, count: 4096)) ?? []
  }

  private static var reason: String { SystemError().words }
}

extension OutputPath.Refusal: CustomStringConvertible, LocalizedError {
  public var description: String {
    switch self {
    case .occupied(let path, let what, let canForce):
      "\(path) holds something else already (\(what)): choose another"
        + (canForce ? ", or give --force to write there all the same" : "")
    case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
    case .empty: "expected a path, found nothing"
    }
  }

  public var errorDescription: String? { description }
}
