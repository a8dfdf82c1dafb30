import TestSupport
import Testing

@testable import Tensors

/// Freed blocks come back, and what is kept has a bound.
@Suite struct StoragePoolTests {
  @Test func aFreedBlockServesTheNext() {
    let pool = StoragePool()
    let first = pool.take(bytes: 1000)
    #expect(first.bytes >= 1000)
    #expect(Int(bitPattern: first.pointer) % 64 == 0)
    pool.give(first.pointer, bytes: first.bytes)
    // A request of the same class gets the same block; one of another class does not.
    let other = pool.take(bytes: 5000)
    #expect(other.pointer != first.pointer)
    let second = pool.take(bytes: 990)
    #expect(second.pointer == first.pointer && second.bytes == first.bytes)
    pool.give(second.pointer, bytes: second.bytes)
    pool.give(other.pointer, bytes: other.bytes)
  }

  @Test func sizeClassesWasteAtMostAnEighth() {
    var last = 0
    for bytes in [0, 1, 255, 256] { #expect(StoragePool.sizeClass(bytes) == 256) }
    for exponent in 8...40 {
      for numerator in 16...32 {
        for step in -1...1 {
          let bytes = (1 << exponent) * numerator / 16 + step
          let size = StoragePool.sizeClass(bytes)
          #expect(size >= bytes && size % 64 == 0, "\(bytes)")
          // Blocks below 512 bytes go by 64.
          #expect(size - bytes <= max(63, bytes / 8), "\(bytes) take \(size)")
          #expect(StoragePool.sizeClass(size) == size)
        }
      }
      let size = StoragePool.sizeClass(1 << exponent)
      #expect(size >= last)
      last = size
    }
  }

  /// What the pool keeps beside what is in use stays within the most that was in use at once, an
  /// eighth and 16 MiB: it does not grow with every new size.
  @Test func keepsNoMoreThanItsBound() {
    let pool = StoragePool()
    let mebibyte = 1 << 20
    for size in stride(from: 8, through: 120, by: 8) {
      let block = pool.take(bytes: size * mebibyte)
      pool.give(block.pointer, bytes: block.bytes)
      let held = pool.bytesInUse + pool.bytesKept
      #expect(held <= pool.peakBytes + pool.peakBytes / 8 + 16 * mebibyte)
    }
    #expect(pool.peakBytes == 120 * mebibyte)
  }

  /// Blocks of an arena never overlap, and what is given back is handed out again before more is taken.
  @Test func arena() throws {
    var arena = Arena()
    var generator = SeededGenerator(5)
    var blocks: [(start: UnsafeMutableRawPointer, size: Int)] = []
    var most = 0
    for _ in 0..<3000 {
      if blocks.count > 40 || (!blocks.isEmpty && Bool.random(using: &generator)) {
        let block = blocks.remove(at: Int.random(in: 0..<blocks.count, using: &generator))
        arena.give(block.start, block.size)
      } else {
        let size = Arena.rounded(Int.random(in: 1...200_000, using: &generator))
        let taken = arena.take(size)
        let start = try #require(taken)
        #expect(Int(bitPattern: start) % Arena.unit == 0)
        for other in blocks {
          #expect(start + size <= other.start || other.start + other.size <= start)
        }
        blocks.append((start, size))
      }
      #expect(arena.bytesInUse == blocks.reduce(0) { $0 + $1.size })
      most = max(most, arena.bytesInUse)
      #expect(arena.bytesInUse + arena.bytesKept <= 2 * most)
    }
    for block in blocks { arena.give(block.start, block.size) }
    let kept = arena.bytesKept
    let taken = arena.take(kept)
    let whole = try #require(taken)
    #expect(arena.bytesKept == 0, "all gaps became one")
    whole.storeBytes(of: 7, as: UInt8.self)
    arena.give(whole, kept)
    arena.keepAtMost(0)
    #expect(arena.bytesKept == 0)
    let again = arena.take(kept)
    #expect(again?.load(as: UInt8.self) == 0, "the memory went back to the system")
  }

  @Test func tensorsReturnTheirBlocks() {
    // A size that no other test uses.
    let count = 777_777
    var address: UnsafePointer<Float>?
    do {
      let x = Tensor.zeros([count])
      address = x.read { $0 }
    }
    let y = Tensor.zeros([count])
    #expect(y.read { $0 } == address)
    #expect(StoragePool.shared.peakBytes >= count * 4)
  }
}
