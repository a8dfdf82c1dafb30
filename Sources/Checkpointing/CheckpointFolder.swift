import Files
import Foundation

/// The folder of one run: `step-00000040.h5` and the like, and `.lock`.
public struct CheckpointFolder {
  public let url: URL

  /// A checkpoint by its name alone; nothing is known about its contents.
  public struct Entry: Equatable, Sendable {
    public let step: Int
    public let url: URL
  }

  /// A checkpoint that was not taken, and why.
  public struct PassedOver {
    public let url: URL
    public let reason: any Error
  }

  /// Creates the folder, and those above it, where it does not exist.
  /// - Throws: `SystemFailure`.
  public init(creating url: URL) throws {
    try FileSystem.createFolder(url.path)
    self.url = url
  }

  /// A folder that should exist already.
  /// - Throws: `CheckpointError.missing`, or `SystemFailure` where it is no folder.
  public init(existing url: URL) throws {
    guard !FileSystem.isAbsent(url.path) else { throw CheckpointError.missing(url) }
    _ = try OpenFile(url.path, flags: O_RDONLY | O_DIRECTORY, operation: "open folder")
    self.url = url
  }

  /// `step-00000040.h5` for 40.
  public static func fileName(step: Int) -> String {
    precondition(step >= 0, "step \(step)")
    return String(format: "step-%08ld.h5", step)
  }

  /// Where the checkpoint of `step` lies or is to lie.
  public func file(step: Int) -> URL { url.appendingPathComponent(Self.fileName(step: step)) }

  /// All files with the name of a checkpoint, lowest step first.
  public func entries() throws -> [Entry] {
    try names().compactMap { name in
      Self.step(ofFileName: name).map { Entry(step: $0, url: file(step: $0)) }
    }
    .sorted { $0.step < $1.step }
  }

  /// Opens the newest checkpoint that is whole and readable.
  /// - Returns: nil in place of the file where there is none; and the newer ones, newest first,
  ///   with the reason why each was passed over.
  /// - Throws: only where the folder cannot be listed.
  public func newestSound() throws -> (file: CheckpointFile?, passedOver: [PassedOver]) {
    var passedOver: [PassedOver] = []
    var tried: Set<Int> = []
    // Listed anew each time: a run that goes on removes files, and has written later ones before.
    while let entry = try entries().last(where: { !tried.contains($0.step) }) {
      tried.insert(entry.step)
      do {
        return (try CheckpointFile.open(entry.url), passedOver)
      } catch {
        if FileSystem.isNamed(entry.url.path) {
          passedOver.append(PassedOver(url: entry.url, reason: error))
        }
      }
    }
    return (nil, passedOver)
  }

  /// Removes old checkpoints.
  ///
  /// - Parameters:
  ///   - keepLast: how many of the newest stay.
  ///   - best: the step whose checkpoint stays in any case.
  ///   - upToStep: the step of the run now. Files of later steps, which lie there where a run
  ///     went back to an earlier checkpoint, neither count nor go.
  /// - Returns: what was removed.
  /// - Precondition: `keepLast` is at least 1.
  @discardableResult
  public func prune(keepLast: Int, best: Int?, upToStep: Int = .max) throws -> [URL] {
    precondition(keepLast >= 1, "keepLast \(keepLast): at least 1 checkpoint has to stay")
    let removed = try entries().filter { $0.step <= upToStep }.dropLast(keepLast)
      .filter { $0.step != best }.map(\.url)
    try removed.forEach(Self.remove)
    return removed
  }

  /// Renames checkpoints of later steps to `….h5.superseded`, or `….superseded-2` and so on, so that
  /// none of them is taken for the newest once a run goes on from an earlier one.
  /// - Returns: The new names.
  public func setAside(after step: Int) throws -> [URL] {
    try entries().filter { $0.step > step }.compactMap { entry in
      try SetAside.move(entry.url.path).map { URL(fileURLWithPath: $0) }
    }
  }

  /// Removes what a killed run left half written.
  ///
  /// - Parameter lock: shows that no other run writes here now. Process numbers would not: in a
  ///   container, they are the same at every start.
  /// - Returns: what was removed.
  @discardableResult
  public func removeStaleTemporaryFiles(holding lock: FolderLock) throws -> [URL] {
    precondition(lock.folder == url, "the lock is for \(lock.folder.path), not for \(url.path)")
    let stale = try names().filter(AtomicFile.isTemporary).sorted()
      .map { url.appendingPathComponent($0) }
    try stale.forEach(Self.remove)
    return stale
  }

  /// Takes the folder for this run.
  /// - Throws: `CheckpointError.folderLocked` where another run has it.
  public func lock() throws -> FolderLock { try FolderLock(url) }

  /// Makes sure that no run has the folder, without taking it.
  /// - Throws: `CheckpointError.folderLocked`.
  public func checkLock() throws { try FolderLock.check(url) }

  /// 40 for `step-00000040.h5`; nil for other names.
  public static func step(ofFileName name: String) -> Int? {
    guard name.hasPrefix("step-"), name.hasSuffix(".h5") else { return nil }
    guard let step = Int(name.dropFirst(5).dropLast(3)), step >= 0 else { return nil }
    return fileName(step: step) == name ? step : nil
  }

  private func names() throws -> [String] {
    do throws(SystemFailure) {
      return try FileSystem.list(url.path)
    } catch {
      throw error.code == ENOENT ? CheckpointError.missing(url) : error
    }
  }

  private static func remove(_ file: URL) throws {
    guard unlink(file.path) == 0 || errno == ENOENT else {
      throw SystemFailure("remove", file.path)
    }
  }
}
