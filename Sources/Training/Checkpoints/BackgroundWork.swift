import Foundation
import Reporting

/// Work on a thread of its own, while its caller goes on.
final class BackgroundWork: @unchecked Sendable {  // Unchecked: guarded by `condition`.
  private let condition = NSCondition()
  /// Let go, with all that it holds, before its end is told.
  private var work: (() throws -> Void)?
  private var outcome: Result<Double, any Error>?

  /// HDF5 wants more than threads have where `ulimit -s` is low.
  private static let stackSize = 4 << 20

  /// - Parameter inPlace: Whether it is done at once, on the caller's thread, as it is where the system
  ///   grants no other.
  init(inPlace: Bool = false, _ work: @escaping () throws -> Void) {
    self.work = work
    if inPlace || !start() { run() }
  }

  private func start() -> Bool {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, BackgroundWork.stackSize)
    let context = Unmanaged.passRetained(self)
    var thread = pthread_t()
    let status = pthread_create(
      &thread, &attributes,
      { context in
        // Signals are for the main thread, which turns them into a clean stop.
        var signals = sigset_t()
        sigfillset(&signals)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        if let context {
          Unmanaged<BackgroundWork>.fromOpaque(context).takeRetainedValue().run()
        }
        return nil
      }, context.toOpaque())
    if status == 0 { pthread_detach(thread) } else { context.release() }
    return status == 0
  }

  private func run() {
    let begin = ContinuousClock.now
    let result = Result { () throws -> Void in try work?() }
    work = nil
    let seconds = (ContinuousClock.now - begin).inSeconds
    condition.withLock {
      outcome = result.map { seconds }
      condition.broadcast()
    }
  }

  var isDone: Bool { condition.withLock { outcome != nil } }

  /// Waits for the end.
  /// - Returns: The seconds that the work took.
  /// - Throws: What the work threw.
  func wait() throws -> Double {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if let outcome { return try outcome.get() }
      condition.wait()
    }
  }
}
