import Foundation

/// How long this process works at something: by the clock or by the processors, whichever is less. On a busy
/// machine the clock goes on while others have the processors; where there are many processors, threads that
/// wait for work may use some.
public enum WorkTime {
  public static func measure(_ body: () throws -> Void) rethrows -> Duration {
    let before = used
    let elapsed = try ContinuousClock().measure(body)
    return min(elapsed, used - before)
  }

  /// What all threads have used of the processors.
  private static var used: Duration {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
