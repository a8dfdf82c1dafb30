import CPlatform
import Glibc
import Synchronization

/// Threads that live as long as the program and share out the indices of one loop at a time.
///
/// Each thread has a part of a loop's indices, which lie together, and helps the others when it is
/// done: rows that one loop leaves in a processor's cache are then mostly the same thread's in the next
/// loop. Where the processors share no cache, it decides how fast short loops are.
///
/// A worker looks for the next loop for some tens of microseconds before it sleeps: training runs
/// thousands of short loops a second, but an idle program must cost no processor time.
final class WorkerPool: @unchecked Sendable {
  /// The threads that work, the caller's included.
  private(set) var threadCount = 1
  private var mutex = pthread_mutex_t()
  private var wake = pthread_cond_t()
  /// Held by the thread whose loop runs; a second caller, or a loop within a loop, runs alone.
  private let isBusy = Atomic<Bool>(false)
  private let generation = Atomic<Int>(0)
  private let sleepers = Atomic<Int>(0)
  /// The next index to be taken of each thread's part; `closed` or more while no loop runs.
  private let next: UnsafeMutablePointer<Atomic<Int>>
  /// Workers that look for indices now. The caller waits for these alone, so that a worker which the
  /// system has not woken yet, or has put aside for another program, delays nobody.
  private let activeWorkers = Atomic<Int>(0)
  private var count = 0
  private var body: ((Int) -> Void)?
  private static let closed = 1 << 60
  /// From one thread's number to the next one's, which no two processors then want at once.
  private static let spacing = 16

  /// - Parameter threadCount: How many threads are wanted; if the system refuses some, the pool goes
  ///   on with those that it got.
  init(threadCount: Int) {
    next = .allocate(capacity: max(1, threadCount) * WorkerPool.spacing)
    for part in 0..<max(1, threadCount) {
      nextIndex(of: part).initialize(to: Atomic(WorkerPool.closed))
    }
    pthread_mutex_init(&mutex, nil)
    pthread_cond_init(&wake, nil)
    while self.threadCount < threadCount, startWorker(self.threadCount) {
      self.threadCount += 1
    }
  }

  /// A worker's pool and the number of its part; the caller's part is the first.
  private final class Worker {
    let pool: WorkerPool
    let part: Int

    init(_ pool: WorkerPool, part: Int) { (self.pool, self.part) = (pool, part) }
  }

  private func startWorker(_ part: Int) -> Bool {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(Worker(self, part: part)).toOpaque()
    let status = pthread_create(
      &thread, nil,
      { context in
        if let context {
          let worker = Unmanaged<Worker>.fromOpaque(context).takeUnretainedValue()
          worker.pool.work(part: worker.part)
        }
        return nil
      }, context)
    guard status == 0 else { return false }
    pthread_detach(thread)
    return true
  }

  func run(_ count: Int, _ body: (Int) -> Void) {
    guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    else {
      for index in 0..<count { body(index) }
      return
    }
    withoutActuallyEscaping(body) { escaping in
      self.count = count
      self.body = escaping
      for part in 0..<threadCount {
        nextIndex(of: part).pointee.store(begin(part), ordering: .sequentiallyConsistent)
      }
      generation.wrappingAdd(1, ordering: .sequentiallyConsistent)
      if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
        pthread_mutex_lock(&mutex)
        pthread_cond_broadcast(&wake)
        pthread_mutex_unlock(&mutex)
      }
      takeIndices(from: 0)
      // From here on a worker that comes late finds nothing to take.
      for part in 0..<threadCount {
        nextIndex(of: part).pointee.store(WorkerPool.closed, ordering: .sequentiallyConsistent)
      }
      var spins = 0
      while activeWorkers.load(ordering: .sequentiallyConsistent) > 0 {
        spins += 1
        if spins % 256 == 0 { sched_yield() } else { cplatform_pause() }
      }
      self.body = nil
    }
    isBusy.store(false, ordering: .releasing)
  }

  /// Takes the indices of a thread's own part, then what is left of the others'.
  private func takeIndices(from own: Int) {
    for step in 0..<threadCount {
      let part = (own + step) % threadCount
      let next = nextIndex(of: part)
      while true {
        let index = next.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent).oldValue
        if index >= WorkerPool.closed || index >= begin(part + 1) { break }
        body?(index)
      }
    }
  }

  /// A thread's part of the loop begins here, and the one before it ends.
  private func begin(_ part: Int) -> Int { part * count / threadCount }

  private func nextIndex(of part: Int) -> UnsafeMutablePointer<Atomic<Int>> {
    next + part * WorkerPool.spacing
  }

  private func work(part: Int) {
    // Signals are for the main thread, which turns them into a clean stop.
    var signals = sigset_t()
    sigfillset(&signals)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    var seen = 0
    while true {
      seen = waitForLoop(after: seen)
      activeWorkers.wrappingAdd(1, ordering: .sequentiallyConsistent)
      takeIndices(from: part)
      activeWorkers.wrappingSubtract(1, ordering: .sequentiallyConsistent)
    }
  }

  private func waitForLoop(after seen: Int) -> Int {
    for _ in 0..<1500 {
      let now = generation.load(ordering: .acquiring)
      if now != seen { return now }
      cplatform_pause()
    }
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
    defer { sleepers.wrappingSubtract(1, ordering: .relaxed) }
    while true {
      let now = generation.load(ordering: .sequentiallyConsistent)
      if now != seen { return now }
      pthread_cond_wait(&wake, &mutex)
    }
  }
}
