import CPlatform
import Glibc

/// The parallel loop: every kernel of the program runs its rows, columns or heads through it.
///
/// BLAS is held to one thread and its products are cut up here as well, so that only one set of
/// threads exists and none spins against another.
public enum Parallel {
  /// How many threads work at once, the caller's included: what `use(threads:)` said, else
  /// `BLIP2_THREADS`, else the processors that this process may use.
  public static var threadCount: Int { pool.threadCount }

  private static let pool = WorkerPool(threadCount: chosenThreadCount ?? requestedThreadCount)
  nonisolated(unsafe) private static var chosenThreadCount: Int?

  /// Sets the number of threads. Call it before the first loop, from the main thread: threads once
  /// started stay.
  public static func use(threads: Int) {
    precondition(threads >= 1, "\(threads) threads")
    chosenThreadCount = min(threads, threadLimit)
  }

  public static let threadLimit = 1024

  /// The processors that this process may run on.
  public static var availableProcessorCount: Int {
    Int(cplatform_available_processors())
  }

  private static var requestedThreadCount: Int {
    if let text = getenv("BLIP2_THREADS"), let count = Int(String(cString: text)), count > 0 {
      return min(count, threadLimit)
    }
    return availableProcessorCount
  }

  /// Calls `body` with 0, 1, … count−1, each once, spread over the threads. Which thread takes which
  /// index is open; what an index computes must not depend on it.
  public static func forEach(_ count: Int, _ body: (Int) -> Void) {
    if count <= 1 || threadCount == 1 {
      for index in 0..<count { body(index) }
      return
    }
    pool.run(count, body)
  }

  /// Cuts 0..<count into runs of at most `grain` and calls `body` with each.
  ///
  /// The cuts depend on the count and the grain alone, so sums over runs are the same for any
  /// number of threads.
  @inline(__always)
  public static func forEachRun(of count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
    let runs = (count + grain - 1) / grain
    if runs == 1 {
      body(0..<count)
      return
    }
    forEach(runs) { run in
      body(run * grain..<min(count, (run + 1) * grain))
    }
  }

  /// Rows per run such that a run is worth handing to another thread (about 16,000 values).
  public static func rowGrain(width: Int) -> Int {
    max(1, 16_384 / max(1, width))
  }
}
