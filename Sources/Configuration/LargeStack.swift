import Foundation

/// Runs work on a thread with a large stack and waits for it.
///
/// The YAML library reads nested values by recursion. It refuses more than 1,000 brackets within
/// each other, but until then needs between 2 and 4 MiB of stack: more than some threads have.
enum LargeStack {
  static let byteCount = 16 << 20

  static func run<Value>(_ work: @escaping () throws -> Value) throws -> Value {
    let task = Task(work)
    let thread = Thread { task.run() }
    thread.stackSize = byteCount
    thread.start()
    return try task.wait()
  }

  /// Work and its result. The semaphore orders the two threads' accesses.
  private final class Task<Value>: @unchecked Sendable {
    private let work: () throws -> Value
    private var result: Result<Value, Error>?
    private let isDone = DispatchSemaphore(value: 0)

    init(_ work: @escaping () throws -> Value) { self.work = work }

    func run() {
      result = Result(catching: work)
      isDone.signal()
    }

    func wait() throws -> Value {
      isDone.wait()
      guard let result else { preconditionFailure("signalled without a result") }
      return try result.get()
    }
  }
}
