import Glibc

/// Blocks of any size cut from ranges of addresses, without gaps that are lost: neighbouring free
/// blocks become one, and a request takes the smallest that suffices.
///
/// The rows of a training step change with its texts. Blocks that only served their own size would go
/// back to the system and fault in again, page by page, at every step.
///
/// Where the system limits this process's addresses, they are reserved region by region as they are
/// needed, because files, threads and libraries want some as well; elsewhere one region serves for ever.
struct Arena {
  /// Bytes without use, of which so many are in memory.
  private struct Gap {
    /// An address.
    var start: Int
    var size: Int
    var resident: Int
    var end: Int { start + size }
  }

  /// The end of what was ever handed out of the region under way, and that region's end.
  private var (top, end) = (0, 0)
  private let reservesAsNeeded: Bool
  /// In the order of their addresses; no two touch.
  private var gaps: [Gap] = []
  private(set) var bytesInUse = 0
  /// Free bytes that are still in memory.
  private(set) var bytesKept = 0

  /// Blocks are multiples of this and begin at them.
  static let unit = 4096
  private static let hugePage = 2 << 20
  /// What is reserved at least where addresses are limited, if there is as much.
  static let leastRegion = 64 << 20
  /// Addresses that are left to others where they are limited.
  static let reserve = 96 << 20

  /// - Parameter reservesAsNeeded: Whether addresses are reserved only when blocks want them.
  init(reservesAsNeeded: Bool = AddressLimit.current != nil) {
    self.reservesAsNeeded = reservesAsNeeded
  }

  static func rounded(_ bytes: Int) -> Int { (bytes + unit - 1) / unit * unit }

  /// - Parameter size: A multiple of `unit`.
  /// - Returns: An uninitialised block; nil if there are no addresses left.
  mutating func take(_ size: Int) -> UnsafeMutableRawPointer? {
    guard let start = takeFromGap(size) ?? takeFromRegion(size) else { return nil }
    bytesInUse += size
    return UnsafeMutableRawPointer(bitPattern: start)
  }

  private mutating func takeFromGap(_ size: Int) -> Int? {
    guard let index = smallestGap(of: size) else { return nil }
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
    return start
  }

  private mutating func takeFromRegion(_ size: Int) -> Int? {
    // A gap may reach the region's unused part; then the block begins there.
    let last = firstGap(after: top) - 1
    let touches = last >= 0 && gaps[last].end == top
    let start = touches ? gaps[last].start : top
    if start + size <= end {
      if touches {
        bytesKept -= gaps[last].resident
        gaps.remove(at: last)
      }
      top = start + size
      return start
    }
    guard let region = reserve(size) else { return nil }
    if top < end { insert(Gap(start: top, size: end - top, resident: 0)) }
    top = region.lowerBound + size
    end = region.upperBound
    return region.lowerBound
  }

  /// Reserves addresses, which take no memory until they are used.
  /// - Returns: At least `size` of them; nil where the system grants no more.
  private func reserve(_ size: Int) -> Range<Int>? {
    // With room to begin at a multiple of the huge pages' size.
    let least = size + Arena.hugePage
    var wanted = 16 << 40
    if reservesAsNeeded {
      wanted = max(least, Arena.leastRegion)
      // Libraries, lists and images take memory as well, and end the process where they get none.
      let left = AddressLimit.current.map { $0.bytesLeft - Arena.reserve } ?? .max
      if left < least { return nil }
      wanted = min(wanted, left)
    }
    while wanted > least {
      if let region = Arena.mapped(wanted) { return region }
      wanted /= 2
    }
    return Arena.mapped(least)
  }

  private static func mapped(_ size: Int) -> Range<Int>? {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    guard let start = mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0), start != MAP_FAILED
    else { return nil }
    let address = Int(bitPattern: start)
    let first = (address + hugePage - 1) / hugePage * hugePage
    madvise(UnsafeMutableRawPointer(bitPattern: first), address + size - first, MADV_HUGEPAGE)
    return first..<(address + size) / unit * unit
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
    insert(Gap(start: Int(bitPattern: pointer), size: size, resident: size))
  }

  private mutating func insert(_ new: Gap) {
    var gap = new
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
      madvise(
        UnsafeMutableRawPointer(bitPattern: gaps[index].start), gaps[index].size, MADV_DONTNEED)
      bytesKept -= gaps[index].resident
      gaps[index].resident = 0
    }
  }
}
