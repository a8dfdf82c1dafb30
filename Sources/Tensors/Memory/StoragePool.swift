import Foundation

/// Keeps freed blocks for the next tensor of about that size.
///
/// Large blocks that go back to the kernel fault in again, page by page, at every training step;
/// reuse makes a steady step free of page faults. Blocks come in size classes eight to each power
/// of two, so at most an eighth of a block is unused. What is kept never lifts the total above the
/// largest amount that was in use at once, plus a tenth.
public final class StoragePool: @unchecked Sendable {
  public static let shared = StoragePool()

  private let lock = NSLock()
  private var free: [Int: [UnsafeMutableRawPointer]] = [:]
  private(set) var bytesInUse = 0
  private(set) var bytesKept = 0
  private var largestBytesInUse = 0

  /// The largest number of bytes that tensors held at one time.
  public var peakBytes: Int {
    lock.lock()
    defer { lock.unlock() }
    return largestBytesInUse
  }

  func take(bytes: Int) -> (pointer: UnsafeMutableRawPointer, bytes: Int) {
    let size = StoragePool.sizeClass(bytes)
    lock.lock()
    bytesInUse += size
    largestBytesInUse = max(largestBytesInUse, bytesInUse)
    if let pointer = free[size]?.popLast() {
      bytesKept -= size
      lock.unlock()
      return (pointer, size)
    }
    let surplus = releaseSurplus()
    lock.unlock()
    for pointer in surplus { Glibc.free(pointer) }
    return (StoragePool.allocate(size), size)
  }

  func give(_ pointer: UnsafeMutableRawPointer, bytes: Int) {
    lock.lock()
    bytesInUse -= bytes
    free[bytes, default: []].append(pointer)
    bytesKept += bytes
    let surplus = releaseSurplus()
    lock.unlock()
    for pointer in surplus { Glibc.free(pointer) }
  }

  /// Takes blocks out of the pool, the largest first, until the total is within its bound.
  private func releaseSurplus() -> [UnsafeMutableRawPointer] {
    let bound = largestBytesInUse + largestBytesInUse / 10 + (16 << 20)
    var surplus: [UnsafeMutableRawPointer] = []
    while bytesInUse + bytesKept > bound {
      guard let size = free.filter({ !$0.value.isEmpty }).keys.max(),
        let pointer = free[size]?.popLast()
      else { break }
      bytesKept -= size
      surplus.append(pointer)
    }
    return surplus
  }

  static func sizeClass(_ bytes: Int) -> Int {
    let least = 256
    guard bytes > least else { return least }
    let power = Int.bitWidth - 1 - (bytes - 1).leadingZeroBitCount
    let step = max(64, 1 << max(0, power - 3))
    return (bytes + step - 1) / step * step
  }

  private static func allocate(_ size: Int) -> UnsafeMutableRawPointer {
    // Blocks of a few huge pages are aligned to them, which saves most of the page faults.
    let hugePage = 2 << 20
    let isLarge = size >= 2 * hugePage
    var pointer: UnsafeMutableRawPointer?
    let status = posix_memalign(&pointer, isLarge ? hugePage : 64, size)
    guard status == 0, let pointer else {
      fatalError("out of memory: no block of \(size) bytes for a tensor")
    }
    if isLarge { madvise(pointer, size, MADV_HUGEPAGE) }
    return pointer
  }
}
