/// The limits that a container or service manager puts on this process, from the control groups it
/// belongs to and all those above them; version 1 and 2 of Linux's interface.
public struct ControlGroups {
  /// A limit on memory and what is used of it, in bytes. Cached files that nobody needs do not count.
  public struct Memory: Equatable {
    public let limit: Int
    public let used: Int
  }

  /// The limit that leaves the least memory, or nil where none is set.
  public let memory: Memory?
  /// How many processors' worth of time may be used, or nil where that is not limited.
  public let processorQuota: Double?

  /// - Parameters:
  ///   - membership: the text of `/proc/self/cgroup`.
  ///   - root: where the file systems of the control groups are mounted.
  public init(
    membership: String = SystemText.read("/proc/self/cgroup") ?? "",
    root: String = "/sys/fs/cgroup"
  ) {
    var memories: [Memory] = []
    var quotas: [Double] = []
    for line in membership.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let controllers = parts[1].split(separator: ",")
      if parts[0] == "0", controllers.isEmpty {
        let folders = Self.folders(root, path: parts[2])
        memories += folders.compactMap(Self.memory2)
        quotas += folders.compactMap(Self.quota2)
      }
      if controllers.contains("memory") {
        memories += Self.folders(root + "/memory", path: parts[2]).compactMap(Self.memory1)
      }
      if controllers.contains("cpu") {
        let folders = Self.folders(root + "/" + parts[1], path: parts[2])
        quotas += folders.compactMap(Self.quota1)
      }
    }
    memory = memories.min { $0.limit - $0.used < $1.limit - $1.used }
    processorQuota = quotas.min()
  }

  /// The group's folder and those above it. Inside a container the path may be the host's, and
  /// its folders missing: only those near the root exist then.
  private static func folders(_ mount: String, path: Substring) -> [String] {
    var folders = [mount]
    for component in path.split(separator: "/") where component != ".." {
      folders.append(folders[folders.count - 1] + "/" + component)
    }
    return folders
  }

  private static func memory2(_ folder: String) -> Memory? {
    memory(folder, limit: "memory.max", used: "memory.current", cacheKey: "inactive_file")
  }

  private static func memory1(_ folder: String) -> Memory? {
    memory(
      folder, limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes",
      cacheKey: "total_inactive_file")
  }

  /// - Parameter cacheKey: What cached files are called in the folder's `memory.stat`.
  private static func memory(
    _ folder: String, limit: String, used: String, cacheKey: String
  ) -> Memory? {
    // Version 1 says "no limit" with a number near 2^63.
    guard let limit = SystemText.number("\(folder)/\(limit)"), 0..<(1 << 60) ~= limit else {
      return nil
    }
    let used = SystemText.number("\(folder)/\(used)") ?? 0
    let cache =
      SystemText.read(folder + "/memory.stat")
      .flatMap { SystemText.value(of: cacheKey, in: $0, separator: " ") }.flatMap { Int($0) } ?? 0
    return Memory(limit: limit, used: min(limit, max(0, used.subtractingClamped(cache))))
  }

  private static func quota2(_ folder: String) -> Double? {
    let words = (SystemText.read(folder + "/cpu.max") ?? "").split { $0 == " " || $0 == "\n" }
    guard words.count == 2 else { return nil }
    return quota(Int(words[0]), period: Int(words[1]))
  }

  private static func quota1(_ folder: String) -> Double? {
    quota(
      SystemText.number(folder + "/cpu.cfs_quota_us"),
      period: SystemText.number(folder + "/cpu.cfs_period_us"))
  }

  private static func quota(_ quota: Int?, period: Int?) -> Double? {
    guard let quota, let period, quota > 0, period > 0 else { return nil }
    return Double(quota) / Double(period)
  }
}

extension Int {
  /// The difference, or the nearest number that there is.
  fileprivate func subtractingClamped(_ other: Int) -> Int {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return overflow ? (other > 0 ? .min : .max) : difference
  }
}
