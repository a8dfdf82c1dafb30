import Glibc

/// A limit that the system sets on this process's addresses: batch systems do so by `ulimit -v`.
public struct AddressLimit: Equatable, Sendable {
  /// Such as `ulimit -v`.
  public let name: String
  /// Bytes.
  public let bytes: Int

  public init(name: String, bytes: Int) {
    self.name = name
    self.bytes = bytes
  }

  /// The lowest limit; nil where none is set.
  public static var current: AddressLimit? {
    [limit("ulimit -v", RLIMIT_AS), limit("ulimit -d", RLIMIT_DATA)].compactMap { $0 }
      .min { $0.bytes < $1.bytes }
  }

  private static func limit(_ name: String, _ resource: __rlimit_resource) -> AddressLimit? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0,
      limit.rlim_cur != rlim_t.max, limit.rlim_cur < 1 << 60
    else { return nil }
    return AddressLimit(name: name, bytes: Int(limit.rlim_cur))
  }

  /// Bytes of addresses that this process has; 0 where the system does not say.
  ///
  /// Reads `/proc/self/statm` without taking memory, as it is asked when there is none left.
  public static var bytesInUse: Int {
    let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return 0 }
    defer { close(file) }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { digits in
      let count = read(file, digits.baseAddress, digits.count)
      var pages = 0
      for place in 0..<max(0, count) {
        guard (0x30...0x39).contains(digits[place]) else { break }
        pages = pages * 10 + Int(digits[place] - 0x30)
      }
      return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
  }

  /// Bytes that this process may still take.
  public var bytesLeft: Int { max(0, bytes - AddressLimit.bytesInUse) }
}
