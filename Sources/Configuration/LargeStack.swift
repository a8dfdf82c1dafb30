import Foundation

/// Runs work on a thread with a large stack and waits for it.
///
/// The YAML library reads nested values by recursion. It refuses more than 1,000 brackets within
/// each other, but until then needs between 2 and 4 MiB of stack: more than some threads have.
enum LargeStack {
  static let byteCount = 16 << 20

  static func run<Value>(_ work: @escaping () throws -> Value) throws -> Value {
    // The semaphore orders the two threads' accesses.
    nonisolated(unsafe) let work = work
    nonisolated(unsafe) var result: Result<Value, any Error>?
    let isDone = DispatchSemaphore(value: 0)
    let thread = Thread {
      result = Result(catching: work)
      isDone.signal()
    }
    thread.stackSize = byteCount
    thread.start()
    isDone.wait()
    guard let result else { preconditionFailure("signalled without a result") }
    return try result.get()
  }
}
