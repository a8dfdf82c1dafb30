import Foundation

/// Digests already taken, by path, size and modification time, in memory and on disk.
///
/// The disk copy is `fingerprints.json` in the folder that the environment variable `BLIP2_CACHE`
/// names, or else in `$XDG_CACHE_HOME/blip2-train`, or else in `~/.cache/blip2-train`. It only saves
/// time: where it is missing, damaged, too large or cannot be written, files are simply read again,
/// and nothing is reported.
public final class FingerprintCache: @unchecked Sendable {  // Unchecked: guarded by `lock`.
  /// The cache of this user.
  public static let shared = FingerprintCache(
    folder: defaultFolder(environment: ProcessInfo.processInfo.environment))

  fileprivate struct Entry: Encodable {
    let size: Int64
    let modified: Int64
    let sha256: String
  }

  private static let maximumByteCount = 4 << 20
  private static let maximumEntryCount = 4096
  /// File systems stamp changes with a clock that may tick every few milliseconds (two seconds on
  /// FAT), so a file changed this recently could change again and keep its stamp.
  private static let settlingTime: Int64 = 3_000_000_000

  private let file: URL?
  private let lock = NSLock()
  private var entries: [String: Entry]

  /// A cache kept in `folder`, or in memory only where `folder` is nil.
  public init(folder: URL?) {
    file = folder?.appendingPathComponent("fingerprints.json")
    entries = Self.read(file)
  }

  static func defaultFolder(environment: [String: String]) -> URL? {
    func path(_ name: String) -> URL? {
      environment[name].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0) }
    }
    if let folder = path("BLIP2_CACHE") { return folder }
    let base = path("XDG_CACHE_HOME") ?? path("HOME")?.appendingPathComponent(".cache")
    return base?.appendingPathComponent("blip2-train")
  }

  func digest(of path: String, in state: FileState) -> String? {
    lock.withLock {
      guard let entry = entries[path], entry.size == state.size, entry.modified == state.modified
      else { return nil }
      return entry.sha256
    }
  }

  func store(_ digest: String, of path: String, in state: FileState) {
    let now = Int64(Date().timeIntervalSince1970 * 1e9)
    guard state.modified < now - Self.settlingTime else { return }
    lock.withLock {
      // Another process may have added digests meanwhile.
      entries.merge(Self.read(file)) { own, _ in own }
      if entries.count >= Self.maximumEntryCount { entries.removeAll() }
      entries[path] = Entry(size: state.size, modified: state.modified, sha256: digest)
      save()
    }
  }

  private func save() {
    guard let file else { return }
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
      let text = try encoder.encode(entries)
      try FileSystem.createFolder(file.deletingLastPathComponent().path)
      try AtomicFile.write(text, to: file.path)
    } catch {
      // Promised above: a cache that cannot be written costs time, never a run.
    }
  }

  private static func read(_ file: URL?) -> [String: Entry] {
    guard let file,
      let text = try? BoundedFile.contents(of: file.path, limit: maximumByteCount),
      case .object(let members)? = try? JSONScanner.document(text, limits: .init(depth: 3))
    else { return [:] }
    return members.reduce(into: [:]) { entries, member in
      if let name = member.name, let entry = Entry(member.value) { entries[name] = entry }
    }
  }
}

extension FingerprintCache.Entry {
  /// Nil for what this program did not write.
  fileprivate init?(_ value: JSONValue) {
    guard let size = value.members(named: "size").first?.integer,
      let modified = value.members(named: "modified").first?.integer,
      case .string(let digest)? = value.members(named: "sha256").first,
      digest.utf8.count == 2 * SHA256.byteCount,
      digest.utf8.allSatisfy("0123456789abcdef".utf8.contains)
    else { return nil }
    self.init(size: Int64(size), modified: Int64(modified), sha256: digest)
  }
}
