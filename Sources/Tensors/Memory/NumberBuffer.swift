/// Uninitialised numbers of any kind that an operation keeps or works on; the pointer is valid as long as
/// this lives.
public struct NumberBuffer<Number: BitwiseCopyable> {
  private let storage: Storage
  public let pointer: UnsafeMutablePointer<Number>
  private let count: Int

  public init(count: Int) {
    self.count = count
    let floats = (count * MemoryLayout<Number>.stride + 3) / MemoryLayout<Float>.stride
    storage = Storage(count: floats)
    pointer = UnsafeMutableRawPointer(storage.pointer)
      .bindMemory(to: Number.self, capacity: count)
  }

  /// All numbers, once they are written.
  public var values: [Number] {
    withExtendedLifetime(storage) { Array(UnsafeBufferPointer(start: pointer, count: count)) }
  }
}
