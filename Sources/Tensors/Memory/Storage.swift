/// A block of float32 values that tensors share; 64-byte aligned where this program allocated it.
///
/// When the last tensor that uses it goes away, the block returns to the `StoragePool`.
public final class Storage: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<Float>
  /// The bytes the pool counts for this block; 0 for memory that belongs to somebody else.
  private let pooledBytes: Int
  private let owner: AnyObject?

  /// Takes an uninitialised block for `count` values from the pool.
  init(count: Int) {
    let block = StoragePool.shared.take(bytes: count * MemoryLayout<Float>.stride)
    pointer = block.pointer.assumingMemoryBound(to: Float.self)
    pooledBytes = block.bytes
    owner = nil
  }

  /// Uses memory that belongs to `owner`, such as a mapped file. It is never written to.
  init(borrowing pointer: UnsafePointer<Float>, owner: AnyObject) {
    self.pointer = UnsafeMutablePointer(mutating: pointer)
    pooledBytes = 0
    self.owner = owner
  }

  var isWritable: Bool { owner == nil }

  deinit {
    if pooledBytes > 0 { StoragePool.shared.give(pointer, bytes: pooledBytes) }
  }
}
