import Foundation

/// The files that stay open between reads, of all sources of the process together: a process has
/// one limit of open files, however many sources its recipe names.
///
/// At most `capacity` are open, those in use among them. The one unused for longest is closed for
/// another; where all are in use, a reader waits for one. A thread reads in one at a time.
public final class OpenFileCache: @unchecked Sendable {  // Unchecked: guarded by `condition`.
  public static let shared = OpenFileCache(capacity: capacity(forLimit: softLimit))

  /// How many files a process that may have `limit` open keeps here: the rest is for lists, images,
  /// outputs, weights and what libraries open.
  static func capacity(forLimit limit: Int) -> Int { min(256, max(2, limit - 48)) }

  /// `RLIMIT_NOFILE`, as it is now.
  private static var softLimit: Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    return Int(clamping: limit.rlim_cur)
  }

  /// A file of one of the owners.
  struct Key: Hashable {
    var owner: Int
    var number: Int
  }

  private struct Entry {
    /// Nil while it is being opened.
    var file: OpenFile?
    var users = 1
    var lastUse: Int
  }

  let capacity: Int
  private let condition = NSCondition()
  private var entries: [Key: Entry] = [:]
  private var uses = 0
  private var lastOwner = 0

  init(capacity: Int) {
    precondition(capacity > 0, "a cache of \(capacity) files")
    self.capacity = capacity
  }

  /// How many are open or being opened.
  var count: Int { condition.withLock { entries.count } }

  /// A number that tells an owner's files from those of all others.
  func makeOwner() -> Int {
    condition.withLock {
      lastOwner += 1
      return lastOwner
    }
  }

  /// Closes the files that are not in use.
  /// - Parameter owner: Whose; nil for all.
  func closeIdle(of owner: Int? = nil) {
    condition.withLock {
      for (key, entry) in entries where entry.users == 0 && key.owner == owner ?? key.owner {
        entries[key] = nil
      }
      condition.broadcast()
    }
  }

  /// Reads in a file, which is opened if it is not.
  /// - Parameter path: Where the file lies.
  /// - Throws: ``ReadFailure`` where it cannot be opened, and what `body` throws.
  func read<Result>(
    _ key: Key, at path: String, _ body: (OpenFile) throws -> Result
  ) throws -> Result {
    let file = try taken(key) ?? opened(key, path)
    defer { giveBack(key) }
    return try body(file)
  }

  /// Takes a file that is open; nil where a place was made for it, which the caller fills.
  private func taken(_ key: Key) -> OpenFile? {
    condition.withLock {
      while true {
        uses += 1
        if let entry = entries[key] {
          if let file = entry.file {
            entries[key] = Entry(file: file, users: entry.users + 1, lastUse: uses)
            return file
          }
        } else if entries.count < capacity || closeOldest() {
          entries[key] = Entry(lastUse: uses)
          return nil
        }
        condition.wait()
      }
    }
  }

  /// - Returns: False where all are in use.
  private func closeOldest() -> Bool {
    var oldest: (key: Key, lastUse: Int)?
    for (key, entry) in entries where entry.users == 0 && entry.lastUse < oldest?.lastUse ?? .max {
      oldest = (key, entry.lastUse)
    }
    guard let oldest else { return false }
    entries[oldest.key] = nil
    return true
  }

  /// Opens without the lock, since a disk elsewhere may take its time.
  private func opened(_ key: Key, _ path: String) throws -> OpenFile {
    let file = Swift.Result { try OpenFile(reading: path) }
    condition.withLock {
      switch file {
      case .success(let file): entries[key]?.file = file
      case .failure: entries[key] = nil
      }
      condition.broadcast()
    }
    return try file.get()
  }

  private func giveBack(_ key: Key) {
    condition.withLock {
      entries[key]?.users -= 1
      condition.broadcast()
    }
  }
}

/// Files by number that share the process's budget with all others, and are closed with this.
public final class CachedFiles: Sendable {
  public let paths: [String]
  private let cache: OpenFileCache
  private let owner: Int

  public init(_ paths: [String], cache: OpenFileCache = .shared) {
    self.paths = paths
    self.cache = cache
    owner = cache.makeOwner()
  }

  deinit { cache.closeIdle(of: owner) }

  /// Reads in one of the files.
  /// - Throws: ``ReadFailure`` where it cannot be opened, and what `body` throws.
  public func read<Result>(_ number: Int, _ body: (OpenFile) throws -> Result) throws -> Result {
    try cache.read(.init(owner: owner, number: number), at: paths[number], body)
  }
}
