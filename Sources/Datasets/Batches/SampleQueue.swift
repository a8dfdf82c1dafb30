import Foundation

/// Loads samples ahead on several threads and hands them out strictly in order.
///
/// Places of the order are dealt out as tickets 0, 1, 2, …; ticket `t` uses slot `t % slotCount`
/// of a ring. A worker takes the next ticket only while its slot is free, so memory is bounded;
/// which worker takes it changes nothing about the result.
final class SampleQueue: @unchecked Sendable {
  private let work: SampleWork
  private let slotCount: Int
  /// The numbers of all slots, `[slotCount, valueCount]`.
  private let values: UnsafeMutableBufferPointer<Float>
  private let valueCount: Int

  // All below is guarded by the condition.
  private let condition = NSCondition()
  private var outcomes: [Result<SampleWork.Outcome, any Error>?]
  private var nextTicket = 0
  private var firstUnread = 0
  private var walk: PlaceWalk
  private var order: SampleOrder
  private var stopped = false
  private var runningWorkers: Int

  init(work: SampleWork, options: BatchLoaderOptions, start: LoaderPosition) {
    self.work = work
    slotCount = options.shareSize * options.prefetchedBatches
    valueCount = work.content.valueCount
    values = .allocate(capacity: slotCount * valueCount)
    outcomes = Array(repeating: nil, count: slotCount)
    walk = PlaceWalk(from: start, count: work.source.count, options: options)
    order = work.order(of: start.epoch)
    runningWorkers = options.workerCount
    for number in 0..<options.workerCount {
      let thread = Thread { self.runWorker() }
      thread.name = "image loader \(number)"
      thread.start()
    }
  }

  deinit { values.deallocate() }

  /// Waits for the next sample in order.
  ///
  /// - Parameter use: Gets the outcome and the sample's numbers, undefined for skipped samples.
  /// - Returns: False where the queue was stopped.
  /// - Throws: What the loader is to end with, and what `use` throws.
  func next(
    _ use: (SampleWork.Outcome, UnsafeBufferPointer<Float>) throws -> Void
  ) throws -> Bool {
    let (slot, outcome) = condition.withLock {
      let slot = firstUnread % slotCount
      while outcomes[slot] == nil && !stopped { condition.wait() }
      return (slot, stopped ? nil : outcomes[slot])
    }
    guard let outcome else { return false }
    defer {
      condition.withLock {
        outcomes[slot] = nil
        firstUnread += 1
        condition.broadcast()
      }
    }
    try use(try outcome.get(), UnsafeBufferPointer(numbers(slot)))
    return true
  }

  /// Ends the workers and waits until the last has gone.
  func stop() {
    condition.withLock {
      stopped = true
      condition.broadcast()
      while runningWorkers > 0 { condition.wait() }
    }
  }

  private func runWorker() {
    while let task = takeTicket() {
      let outcome = Result {
        try work.load(place: task.place, order: task.order, into: numbers(task.slot))
      }
      condition.withLock {
        outcomes[task.slot] = outcome
        condition.broadcast()
      }
    }
    condition.withLock {
      runningWorkers -= 1
      condition.broadcast()
    }
  }

  /// The next thing to do, or nil when there will be nothing more.
  private func takeTicket() -> (slot: Int, place: LoaderPosition, order: SampleOrder)? {
    condition.lock()
    defer { condition.unlock() }
    while !stopped && nextTicket - firstUnread >= slotCount { condition.wait() }
    if walk.isAtEndOfEpoch && !stopped {
      guard work.pass == .training else { return nil }
      walk.beginNextEpoch()
      order = work.order(of: walk.place.epoch)
    }
    guard !stopped else { return nil }
    defer {
      nextTicket += 1
      walk.advance()
    }
    return (nextTicket % slotCount, walk.place, order)
  }

  private func numbers(_ slot: Int) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(
      rebasing: values[(slot * valueCount)..<((slot + 1) * valueCount)])
  }
}
