import Foundation

/// Keeps freed blocks for the next tensors.
///
/// Memory that goes back to the kernel faults in again, page by page, at every training step; reuse
/// makes a steady step free of page faults. Large blocks are cut from an `Arena`. Small ones come in
/// size classes eight to each power of two, so at most an eighth of a block is unused. What is kept
/// never lifts the total above the largest amount that was in use at once, plus an eighth.
public final class StoragePool: @unchecked Sendable {
  public static let shared = StoragePool()

  private let lock = NSLock()
  private var arena = Arena()
  private var free: [Int: [UnsafeMutableRawPointer]] = [:]
  private var smallBytesInUse = 0
  private var smallBytesKept = 0
  private var largestBytesInUse = 0

  var bytesInUse: Int { smallBytesInUse + arena.bytesInUse }
  var bytesKept: Int { smallBytesKept + arena.bytesKept }

  /// Blocks from here on come from the arena.
  private static let leastLarge = 32 << 10

  /// The largest number of bytes that tensors held at one time.
  public var peakBytes: Int { lock.withLock { largestBytesInUse } }

  func take(bytes: Int) -> (pointer: UnsafeMutableRawPointer, bytes: Int) {
    let size = StoragePool.size(bytes)
    let pointer = lock.withLock {
      size < StoragePool.leastLarge ? takeSmall(size) : takeLarge(size)
    }
    guard let pointer else { OutOfMemory.stop(size, inUse: bytesInUse) }
    return (pointer, size)
  }

  private func takeLarge(_ size: Int) -> UnsafeMutableRawPointer? {
    let pointer = arena.take(size)
    largestBytesInUse = max(largestBytesInUse, bytesInUse)
    trim()
    return pointer
  }

  private func takeSmall(_ size: Int) -> UnsafeMutableRawPointer? {
    smallBytesInUse += size
    largestBytesInUse = max(largestBytesInUse, bytesInUse)
    if let pointer = free[size]?.popLast() {
      smallBytesKept -= size
      return pointer
    }
    var pointer: UnsafeMutableRawPointer?
    return posix_memalign(&pointer, 64, size) == 0 ? pointer : nil
  }

  func give(_ pointer: UnsafeMutableRawPointer, bytes size: Int) {
    lock.withLock {
      if size < StoragePool.leastLarge {
        smallBytesInUse -= size
        smallBytesKept += size
        free[size, default: []].append(pointer)
      } else {
        arena.give(pointer, size)
        trim()
      }
    }
  }

  private func trim() {
    let bound = largestBytesInUse + largestBytesInUse / 8 + (16 << 20)
    arena.keepAtMost(max(0, bound - bytesInUse - smallBytesKept))
  }

  static func size(_ bytes: Int) -> Int {
    bytes < leastLarge ? sizeClass(bytes) : Arena.rounded(bytes)
  }

  static func sizeClass(_ bytes: Int) -> Int {
    let least = 256
    guard bytes > least else { return least }
    let power = Int.bitWidth - 1 - (bytes - 1).leadingZeroBitCount
    let step = max(64, 1 << max(0, power - 3))
    return (bytes + step - 1) / step * step
  }
}
