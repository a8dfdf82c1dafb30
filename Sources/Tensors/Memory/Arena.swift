import Glibc

/// Blocks of any size cut from one range of addresses, without gaps that are lost: neighbouring free
/// blocks become one, and a request takes the smallest that suffices.
///
/// The rows of a training step change with its texts. Blocks that only served their own size would go
/// back to the system and fault in again, page by page, at every step.
struct Arena {
  /// Bytes without use, of which so many are in memory.
  private struct Gap {
    var start: Int
    var size: Int
    var resident: Int
    var end: Int { start + size }
  }

  private let base: UnsafeMutableRawPointer
  private let capacity: Int
  /// In the order of their addresses; no two touch.
  private var gaps: [Gap] = []
  /// The end of what was ever handed out.
  private var top = 0
  private(set) var bytesInUse = 0
  /// Free bytes that are still in memory.
  private(set) var bytesKept = 0

  /// Blocks are multiples of this and begin at them.
  static let unit = 4096
  private static let hugePage = 2 << 20

  /// Reserves addresses, which take no memory until they are used.
  init() {
    var size = 16 << 40
    while size >= 1 << 30 {
      let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
      if let start = mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0), start != MAP_FAILED {
        let before =
          (Arena.hugePage - Int(bitPattern: start) % Arena.hugePage) % Arena.hugePage
        base = start + before
        capacity = size - before
        madvise(base, capacity, MADV_HUGEPAGE)
        return
      }
      size /= 2
    }
    fatalError("the system grants no addresses for tensors")
  }

  static func rounded(_ bytes: Int) -> Int { (bytes + unit - 1) / unit * unit }

  /// - Parameter size: A multiple of `unit`.
  /// - Returns: An uninitialised block; nil if there are no addresses left.
  mutating func take(_ size: Int) -> UnsafeMutableRawPointer? {
    bytesInUse += size
    guard let index = smallestGap(of: size) else {
      // The last gap may reach the end; then the block begins there.
      var start = top
      if let last = gaps.last, last.end == top {
        start = last.start
        bytesKept -= last.resident
        gaps.removeLast()
      }
      guard start + size <= capacity else { return nil }
      top = start + size
      return base + start
    }
    let start = gaps[index].start
    let resident = min(size, gaps[index].resident)
    bytesKept -= resident
    if gaps[index].size == size {
      gaps.remove(at: index)
    } else {
      gaps[index].start += size
      gaps[index].size -= size
      gaps[index].resident -= resident
    }
    return base + start
  }

  private func smallestGap(of size: Int) -> Int? {
    var best: Int?
    var bestSize = Int.max
    for (index, gap) in gaps.enumerated() where gap.size >= size && gap.size < bestSize {
      (best, bestSize) = (index, gap.size)
    }
    return best
  }

  mutating func give(_ pointer: UnsafeMutableRawPointer, _ size: Int) {
    bytesInUse -= size
    bytesKept += size
    var gap = Gap(start: pointer - base, size: size, resident: size)
    var index = firstGap(after: gap.start)
    if index < gaps.count, gaps[index].start == gap.end {
      gap.size += gaps[index].size
      gap.resident += gaps[index].resident
      gaps.remove(at: index)
    }
    if index > 0, gaps[index - 1].end == gap.start {
      index -= 1
      gaps[index].size += gap.size
      gaps[index].resident += gap.resident
    } else {
      gaps.insert(gap, at: index)
    }
  }

  private func firstGap(after start: Int) -> Int {
    var (low, high) = (0, gaps.count)
    while low < high {
      let middle = (low + high) / 2
      if gaps[middle].start > start { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Gives free memory back to the system, the largest gaps first, until no more than so much is kept.
  mutating func keepAtMost(_ bytes: Int) {
    while bytesKept > bytes {
      guard let index = gaps.indices.max(by: { gaps[$0].resident < gaps[$1].resident }) else {
        return
      }
      madvise(base + gaps[index].start, gaps[index].size, MADV_DONTNEED)
      bytesKept -= gaps[index].resident
      gaps[index].resident = 0
    }
  }
}
