import Foundation

/// The one thread that speaks to the MPI library: it begins it, and does all that follows for whoever asks,
/// one after another. So any thread of the program may, and a library suffices that knows of no threads.
final class MessageThread: @unchecked Sendable {
  private let condition = NSCondition()
  private var work: [() -> Void] = []
  private var isEnded = false

  /// - Parameters:
  ///   - interval: The seconds after which `idle` is done, again and again, while nobody asks.
  ///   - idle: Called on the thread.
  init(every interval: TimeInterval, idle: @escaping () -> Void) {
    // The condition orders the accesses of both threads.
    nonisolated(unsafe) let idle = idle
    let thread = Thread { [self] in
      // Signals are for the main thread; threads that the library makes inherit this.
      var signals = sigset_t()
      sigfillset(&signals)
      pthread_sigmask(SIG_BLOCK, &signals, nil)
      while let next = next(within: interval) { (next ?? idle)() }
    }
    thread.stackSize = 8 << 20
    thread.start()
  }

  /// - Returns: What was asked for; `.some(nil)` where nothing was within the time; nil at the end.
  private func next(within interval: TimeInterval) -> (() -> Void)?? {
    condition.withLock {
      if work.isEmpty, !isEnded { _ = condition.wait(until: Date(timeIntervalSinceNow: interval)) }
      if work.isEmpty { return isEnded ? nil : .some(nil) }
      return work.removeFirst()
    }
  }

  /// Does something on the thread and waits for it.
  /// - Parameter limit: The seconds to wait at most.
  /// - Returns: nil where it took longer, and still goes on.
  func run<Result>(within limit: TimeInterval, _ body: @escaping () -> Result) -> Result? {
    let (result, isDone) = (Box<Result>(), DispatchSemaphore(value: 0))
    ask {
      result.value = body()
      isDone.signal()
    }
    return isDone.wait(timeout: .now() + limit) == .success ? result.value : nil
  }

  /// Does something on the thread and waits for it, however long it takes.
  func run(_ body: @escaping () -> Void) {
    let isDone = DispatchSemaphore(value: 0)
    ask {
      body()
      isDone.signal()
    }
    isDone.wait()
  }

  private func ask(_ body: @escaping () -> Void) {
    condition.withLock {
      precondition(!isEnded, "messages after the end")
      work.append(body)
      condition.signal()
    }
  }

  /// Lets the thread end once all is done that was asked for.
  func end() {
    condition.withLock {
      isEnded = true
      condition.signal()
    }
  }

  private final class Box<Value>: @unchecked Sendable {
    var value: Value?
  }
}
