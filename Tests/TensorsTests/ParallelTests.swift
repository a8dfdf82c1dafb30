import Dispatch
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Tensors

/// The parallel loop: every index once, whoever calls it and from wherever.
@Suite struct ParallelTests {
  /// Counts how often each index is visited.
  final class Visits: Sendable {
    private let counts: Mutex<[Int]>

    init(_ count: Int) { counts = Mutex(Array(repeating: 0, count: count)) }

    func add(_ index: Int) { counts.withLock { $0[index] += 1 } }

    var eachOnce: Bool { counts.withLock { $0.allSatisfy { $0 == 1 } } }
  }

  @Test(arguments: [0, 1, 2, 3, 17, 1000, 30_000])
  func visitsEveryIndexOnce(_ count: Int) {
    let visits = Visits(count)
    Parallel.forEach(count) { visits.add($0) }
    #expect(visits.eachOnce)
  }

  @Test(arguments: [0, 1, 5, 63, 64, 65, 1000], [1, 7, 64, 5000])
  func runsCoverTheCount(_ count: Int, grain: Int) {
    let visits = Visits(count)
    Parallel.forEachRun(of: count, grain: grain) { run in
      #expect(!run.isEmpty && run.count <= grain && run.lowerBound % grain == 0)
      for index in run { visits.add(index) }
    }
    #expect(visits.eachOnce)
  }

  @Test func loopsWithinLoops() {
    let visits = Visits(20 * 30 * 4)
    Parallel.forEach(20) { outer in
      Parallel.forEach(30) { middle in
        Parallel.forEach(4) { inner in visits.add((outer * 30 + middle) * 4 + inner) }
      }
    }
    #expect(visits.eachOnce)
  }

  @Test func manyCallersAtOnce() {
    let (callers, rounds, count) = (6, 200, 40)
    let visits = Visits(callers * rounds * count)
    DispatchQueue.concurrentPerform(iterations: callers) { caller in
      for round in 0..<rounds {
        Parallel.forEach(count) { visits.add((caller * rounds + round) * count + $0) }
      }
    }
    #expect(visits.eachOnce)
  }

  /// More threads than processors, short loops one after the other, and pauses in which all sleep.
  @Test(arguments: [1, 2, 5, 16])
  func poolsOfAnySize(_ threads: Int) {
    let pool = WorkerPool(threadCount: threads)
    #expect(pool.threadCount == threads)
    let (rounds, count) = (400, 11)
    let visits = Visits(rounds * count)
    for round in 0..<rounds {
      pool.run(count) { visits.add(round * count + $0) }
      if round % 100 == 0 { usleep(2000) }
    }
    #expect(visits.eachOnce)
  }

  /// A loop's writes are seen by its caller without further ado.
  @Test func resultsAreVisibleAfterTheLoop() {
    for round in 0..<300 {
      let result = Tensor(shape: [257]) { target in
        Parallel.forEach(257) { target[$0] = Float($0 + round) }
      }
      #expect(result.values == (0..<257).map { Float($0 + round) })
    }
  }
}
