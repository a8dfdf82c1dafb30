import Foundation
import Objectives
import Tensors
import TestSupport
import Testing

@testable import MessagePassing

/// What is asked of every communicator, asked of threads; `LaunchedDoctorTests` ask it of processes.
struct CommunicatorCheckTests {
  @Test(arguments: [1, 2, 3, 4])
  func threadsHearWhatTheyShould(_ count: Int) {
    #expect(inThreads(count) { CommunicatorCheck.problems($0) }.flatMap { $0 } == [])
    #expect(CommunicatorCheck.problems(SingleProcess()) == [])
  }

  /// Each run summed by one, then joined: the sums that all would have made.
  @Test(arguments: [1, 2, 3, 4])
  func sumsInRuns(_ count: Int) {
    let areSame = inThreads(count) { own in
      let values = Tensor((0..<7).map { Float($0 + own.rank) / 3 }, shape: [7])
      let joined = own.joined(own.summedRun(values, own.runs(of: 7)))
      let summed = own.summed(values)
      return joined.values.map(\.bitPattern) == summed.values.map(\.bitPattern)
    }
    #expect(areSame.allSatisfy { $0 })
  }

  @Test(arguments: [1, 3]) func textsOfAll(_ count: Int) {
    let texts = [[], ["", "a\0b", "Größe"], ["c"]]
    let heard = inThreads(count) { own in own.gathered(texts[own.rank]) }
    #expect(heard.allSatisfy { $0 == Array(texts.prefix(count)) })
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
}
