import Foundation
import TestSupport
import Testing

/// A fuzz run notices what it is there to notice.
@Suite struct FuzzRunTests {
  private struct Refusal: Error {}
  private struct Surprise: Error {}

  private let samples = [FuzzRun.Sample(name: "sample", bytes: Array(0..<100))]

  private func report(_ read: ([UInt8]) throws -> Void) -> FuzzRun.Report {
    FuzzRun(reader: "trial", samples: samples) { $0 is Refusal }.run(
      damage: { mutator, bytes, other in mutator.mutated(bytes, with: other) }, read: read)
  }

  @Test func outcomesAreCounted() {
    var cases: [[UInt8]] = []
    let report = report { bytes in
      cases.append(bytes)
      if cases.count.isMultiple(of: 3) { throw Refusal() }
    }
    #expect(report.problems == [])
    #expect(report.accepted + report.refused == cases.count && report.accepted >= report.refused)
    // Few cases are alike, and all come again.
    #expect(Set(cases).count * 10 >= cases.count * 8)
    var again: [[UInt8]] = []
    _ = self.report { again.append($0) }
    #expect(again == cases)
  }

  @Test func surprisesAreReported() {
    var count = 0
    let report = report { _ in
      count += 1
      if count == 1 { throw Surprise() }
    }
    #expect(report.problems.count == 1)
    #expect(report.problems.first?.contains("trial, case") == true)
    #expect(report.problems.first?.contains("BLIP2_FUZZ_CASE=") == true)
  }

  @Test func memoryIsMeasured() {
    var count = 0
    let report = report { _ in
      count += 1
      guard count == 1 else { return }
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 160 << 20, alignment: 64)
      for place in stride(from: 0, to: memory.count, by: 4096) { memory[place] = 1 }
      memory.deallocate()
    }
    // Nil where the system does not say; less where it takes other memory away meanwhile.
    #expect(report.memoryGrowth.map { $0 >= 64 } ?? true, "\(report)")
  }
}
