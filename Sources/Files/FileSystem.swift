import Foundation

/// What the file system holds, asked and answered with exact names.
public enum FileSystem {
  public enum Kind: Equatable, Sendable {
    case file(size: Int)
    case folder
    /// A pipe, a device and the like.
    case other
  }

  /// What lies at a path, links followed; nil where nothing does.
  /// - Throws: Where the system cannot say.
  public static func kind(of path: String) throws(SystemError) -> Kind? {
    var status = stat()
    guard FileName.withCString(path, { stat($0, &status) }) == 0 else {
      let error = SystemError()
      if error.isAbsence || error.code == ELOOP || error.code == ENAMETOOLONG { return nil }
      // To ask for a file's size nothing of it need be read: only folders can be forbidden.
      throw SystemError(error.code, isOfFolder: true)
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file(size: Int(status.st_size))
    case S_IFDIR: return .folder
    default: return .other
    }
  }

  /// What the system says of a name itself, a link not followed; nil, with `errno`, where it refuses.
  static func status(ofName path: String) -> stat? {
    var status = stat()
    return FileName.withCString(path, { lstat($0, &status) }) == 0 ? status : nil
  }

  /// Whether anything lies at a path, be it a link that leads nowhere.
  public static func isNamed(_ path: String) -> Bool { status(ofName: path) != nil }

  /// Whether a link lies at a path, wherever it leads.
  static func isLink(_ path: String) -> Bool {
    status(ofName: path).map { $0.st_mode & S_IFMT == S_IFLNK } ?? false
  }

  /// Opens a file; one that is created may be read and written by all whom the `umask` lets.
  /// - Returns: The descriptor, which is the caller's to close.
  static func descriptor(of path: String, flags: Int32) throws(SystemError) -> Int32 {
    var hasClosedIdle = false
    while true {
      let descriptor = FileName.withCString(path) { open($0, flags | O_CLOEXEC, 0o666) }
      guard descriptor < 0 else { return descriptor }
      let code = errno
      if code == EINTR { continue }
      if code == EMFILE, !hasClosedIdle {
        // Files that stay open for the next read are worth less than this one.
        OpenFileCache.shared.closeIdle()
        hasClosedIdle = true
        continue
      }
      guard code == EACCES || code == EPERM else { throw SystemError(code) }
      // Where even the size is not to be had, it is a folder that may not be entered.
      var status = stat()
      let isFound = FileName.withCString(path) { stat($0, &status) } == 0
      throw SystemError(code, isOfFolder: !isFound && (errno == EACCES || errno == EPERM))
    }
  }

  /// The names in a folder, in no order, without `.` and `..`.
  /// - Throws: Also where the folder can be read in part only.
  public static func names(in folder: String) throws(SystemError) -> [String] {
    guard let stream = FileName.withCString(folder, { opendir($0) }) else {
      throw SystemError(isOfFolder: true)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        guard errno == 0 else { throw SystemError(isOfFolder: true) }
        return names
      }
      // The entry ends after the name, before the end of the room that its type declares.
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        FileName.text(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
      }
      if name != "." && name != ".." { names.append(name) }
    }
  }

  /// The same, where a folder that cannot be read is an error to be shown.
  /// - Throws: `SystemFailure` that names the folder.
  public static func list(_ folder: String) throws(SystemFailure) -> [String] {
    do throws(SystemError) {
      return try names(in: folder)
    } catch {
      throw SystemFailure("list", folder, error)
    }
  }

  /// Creates a folder and those that it lies in; one that is there is left as it is.
  /// - Throws: `SystemFailure` that names the one that cannot be made.
  public static func createFolder(_ path: String) throws(SystemFailure) {
    if FileName.withCString(path, { mkdir($0, 0o777) }) == 0 { return }
    var code = errno
    let above = FilePath.folder(of: path)
    if code == ENOENT, above != path {
      try createFolder(above)
      code = FileName.withCString(path) { mkdir($0, 0o777) } == 0 ? 0 : errno
    }
    guard code == 0 || (code == EEXIST && isFolder(path)) else {
      throw SystemFailure("create folder", path, code: code)
    }
  }

  /// Whether nothing lies at a path, links followed; false where the system cannot say, which whoever
  /// opens it is told.
  public static func isAbsent(_ path: String) -> Bool {
    do { return try kind(of: path) == nil } catch { return false }
  }

  /// Whether a folder lies at a path, links followed.
  public static func isFolder(_ path: String) -> Bool { (try? kind(of: path)) == .folder }

  /// Makes sure that names given in a folder outlive a crash. Folders that may not be read, and file
  /// systems that cannot do this, are let pass: files are whole either way.
  static func synchronize(folder: String) throws(SystemFailure) {
    guard let file = try? OpenFile(folder, flags: O_RDONLY | O_DIRECTORY) else { return }
    do throws(SystemFailure) {
      try file.synchronize()
    } catch {
      guard [EINVAL, ENOTSUP, ENOSYS, EROFS].contains(error.code) else { throw error }
    }
  }
}
