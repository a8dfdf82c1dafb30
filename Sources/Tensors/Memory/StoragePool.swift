import Foundation

/// Keeps freed blocks for the next tensor of about that size.
///
/// Large blocks that go back to the kernel fault in again, page by page, at every training step;
/// reuse makes a steady step free of page faults. Blocks come in size classes eight to each power
/// of two, so at most an eighth of a block is unused. What is kept never lifts the total above the
/// largest amount that was in use at once, plus a sixteenth. Large blocks come from the system itself,
/// since what goes back to the C library stays with it in pieces.
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
    if let block = takeKept(size) {
      bytesKept -= block.size
      bytesInUse += block.size
      largestBytesInUse = max(largestBytesInUse, bytesInUse)
      lock.unlock()
      return (block.pointer, block.size)
    }
    bytesInUse += size
    largestBytesInUse = max(largestBytesInUse, bytesInUse)
    let surplus = releaseSurplus()
    lock.unlock()
    for block in surplus { StoragePool.release(block) }
    return (StoragePool.allocate(size), size)
  }

  /// A kept block of this size or, if there is none, a somewhat larger one.
  private func takeKept(_ size: Int) -> Block? {
    var candidate = size
    repeat {
      if let pointer = free[candidate]?.popLast() {
        return Block(pointer: pointer, size: candidate)
      }
      candidate = StoragePool.sizeClass(candidate + 1)
    } while size >= StoragePool.leastMapped && candidate <= size + size / 2
    return nil
  }

  func give(_ pointer: UnsafeMutableRawPointer, bytes: Int) {
    lock.lock()
    bytesInUse -= bytes
    free[bytes, default: []].append(pointer)
    bytesKept += bytes
    let surplus = releaseSurplus()
    lock.unlock()
    for block in surplus { StoragePool.release(block) }
  }

  /// Takes blocks out of the pool, the largest first, until the total is within its bound.
  private func releaseSurplus() -> [Block] {
    let bound = largestBytesInUse + largestBytesInUse / 16 + (16 << 20)
    var surplus: [Block] = []
    while bytesInUse + bytesKept > bound {
      guard let size = free.filter({ !$0.value.isEmpty }).keys.max(),
        let pointer = free[size]?.popLast()
      else { break }
      bytesKept -= size
      surplus.append(Block(pointer: pointer, size: size))
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

  private struct Block {
    let pointer: UnsafeMutableRawPointer
    let size: Int
  }

  private static let leastMapped = 1 << 20
  private static let hugePage = 2 << 20

  private static func allocate(_ size: Int) -> UnsafeMutableRawPointer {
    if size >= leastMapped { return map(size) }
    var pointer: UnsafeMutableRawPointer?
    guard posix_memalign(&pointer, 64, size) == 0, let pointer else { failed(size) }
    return pointer
  }

  private static func release(_ block: Block) {
    if block.size >= leastMapped {
      munmap(block.pointer, pages(block.size))
    } else {
      Glibc.free(block.pointer)
    }
  }

  /// Blocks of a few huge pages are aligned to them, which saves most of the page faults.
  private static func map(_ size: Int) -> UnsafeMutableRawPointer {
    let isLarge = size >= 2 * hugePage
    let size = pages(size)
    let mapped = size + (isLarge ? hugePage : 0)
    let start = mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let start, start != MAP_FAILED else { failed(size) }
    guard isLarge else { return start }
    let before = (hugePage - Int(bitPattern: start) % hugePage) % hugePage
    if before > 0 { munmap(start, before) }
    if before < hugePage { munmap(start + before + size, hugePage - before) }
    madvise(start + before, size, MADV_HUGEPAGE)
    return start + before
  }

  private static func pages(_ size: Int) -> Int { (size + 4095) / 4096 * 4096 }

  private static func failed(_ size: Int) -> Never {
    fatalError("out of memory: no block of \(size) bytes for a tensor")
  }
}
