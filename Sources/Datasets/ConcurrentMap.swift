import Foundation
import Synchronization

extension Range<Int> {
  /// What `transform` makes of each number, in their order; it is called from several threads.
  /// - Throws: What `transform` throws of the lowest number; those above it may be left out.
  func concurrentMap<Value>(_ transform: @Sendable (Int) throws -> Value) throws -> [Value] {
    var results = [Result<Value, any Error>?](repeating: nil, count: count)
    let lowestFailed = Atomic(upperBound)
    results.withUnsafeMutableBufferPointer { results in
      // Each iteration writes an element of its own.
      nonisolated(unsafe) let results = results
      DispatchQueue.concurrentPerform(iterations: count) { offset in
        let number = lowerBound + offset
        guard number < lowestFailed.load(ordering: .relaxed) else { return }
        results[offset] = Result { try transform(number) }
        if case .failure = results[offset] { lowestFailed.min(number, ordering: .relaxed) }
      }
    }
    return try results.compactMap { try $0?.get() }
  }
}
