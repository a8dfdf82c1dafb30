import Foundation

/// The machine's memory in bytes. A container's limit counts where it is the lower one.
public struct SystemMemory: Codable, Equatable, Sendable {
  public var total: Int
  public var available: Int
}

extension SystemMemory {
  /// This machine's now; nil where the system does not say.
  public static func current(_ groups: ControlGroups = ControlGroups()) -> SystemMemory? {
    SystemMemory(SystemText.read("/proc/meminfo") ?? "", limit: groups.memory)
  }

  /// The memory in the text of `/proc/meminfo`, held against a container's limit.
  init?(_ text: String, limit: ControlGroups.Memory?) {
    guard let total = SystemMemory.kibibytes("MemTotal", in: text),
      let available = SystemMemory.kibibytes("MemAvailable", in: text)
    else { return nil }
    self.total = min(total, limit?.limit ?? total)
    self.available = min(available, limit.map { $0.limit - $0.used } ?? available)
  }

  /// The largest resident memory that this process had, in bytes.
  ///
  /// `getrusage` begins with what the process had that started this one, and serves only where `/proc` is
  /// missing.
  public static var peakBytes: Int {
    if let peak = kibibytes("VmHWM", in: SystemText.read("/proc/self/status") ?? "") { return peak }
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }

  /// A value such as "8123456 kB", in bytes.
  private static func kibibytes(_ key: String, in text: String) -> Int? {
    let value = SystemText.value(of: key, in: text, separator: ":")
    guard let number = value?.split(separator: " ").first.flatMap({ Int($0) }),
      0..<(1 << 50) ~= number
    else { return nil }
    return number * 1024
  }
}
