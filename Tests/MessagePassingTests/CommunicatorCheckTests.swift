import Foundation
import Objectives
import Tensors
import Testing

@testable import MessagePassing

/// What is asked of every communicator, asked of threads; `LaunchedDoctorTests` ask it of processes.
struct CommunicatorCheckTests {
  @Test(arguments: [1, 2, 3, 4])
  func threadsHearWhatTheyShould(_ count: Int) {
    #expect(Self.together(count) { CommunicatorCheck.problems($0) } == [])
    #expect(CommunicatorCheck.problems(SingleProcess()) == [])
  }

  /// Each run summed by one, then joined: the sums that all would have made.
  @Test(arguments: [1, 2, 3, 4])
  func sumsInRuns(_ count: Int) {
    let problems = Self.together(count) { own in
      let values = Tensor((0..<7).map { Float($0 + own.rank) / 3 }, shape: [7])
      let joined = own.joined(own.summedRun(values, own.runs(of: 7)))
      let summed = own.summed(values)
      return joined.values.map(\.bitPattern) == summed.values.map(\.bitPattern) ? [] : ["differ"]
    }
    #expect(problems == [])
  }

  @Test func whatIsWrongIsSeen() {
    let problems = CommunicatorCheck.problems(Forgetful())
    #expect(problems.count == 2 && problems.allSatisfy { $0.hasPrefix("process 0: ") })
  }

  /// Loses flags, and the last number or all.
  private struct Forgetful: Communicator {
    let whole = SingleProcess()
    var rank: Int { 0 }
    var count: Int { 1 }
    func gathered(_ numbers: [Int64]) -> [[Int64]] { [] }
    func gathered(_ rows: Tensor) -> [Tensor] { whole.gathered(rows) }
    func summed(_ values: Tensor) -> Tensor { whole.summed(values) }
    func exchanged(_ rows: [Tensor?]) -> [Tensor?] { whole.exchanged(rows) }
    func any(_ flag: Bool) -> Bool { false }
  }

  /// What threads of one group find, each on its own.
  private static func together(
    _ count: Int, _ body: @escaping @Sendable (ThreadCommunicator) -> [String]
  ) -> [String] {
    let (found, group) = (Found(), DispatchGroup())
    for communicator in ThreadCommunicator.group(of: count) {
      nonisolated(unsafe) let communicator = communicator
      group.enter()
      Thread.detachNewThread {
        found.add(body(communicator))
        group.leave()
      }
    }
    group.wait()
    return found.all
  }

  private final class Found: @unchecked Sendable {
    private let lock = NSLock()
    private var problems: [String] = []

    func add(_ more: [String]) { lock.withLock { problems += more } }
    var all: [String] { lock.withLock { problems } }
  }
}
