import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Damaged archives end in a source whose samples can be asked for, or in a `DatasetError`.
@Suite struct ShardFuzzTests {
  @Test func shards() throws {
    let names = ["gnu.tar", "posix.tar", "ustar.tar"]
    let samples = try names.map { try FuzzRun.Sample(shardFixtures.appendingPathComponent($0)) }
    let folder = try TemporaryFolder()
    let run = FuzzRun(reader: "shard", samples: samples) { $0 is DatasetError }
    var count = 0
    let report = run.run { mutator, bytes, other in
      mutator.mutated(bytes, with: other)
    } read: { bytes in
      let file = try folder.replace("a.tar", with: bytes)
      count += 1
      let source = try ShardSource(
        paths: [file.path], captions: count % 2 == 0 ? .all : .draw,
        toleratesDamage: count % 3 == 0)
      for image in 0..<source.imageCount {
        // A sample of a damaged archive may be unreadable; it must only not end the process.
        _ = try? source.record(at: image)
        _ = try? source.imageBytes(ofImage: image, limit: 1 << 20)
      }
    }
    #expect(report.problems == [])
    let total = report.accepted + report.refused
    #expect(
      total < 100 || report.accepted > total / 20 && report.refused > total / 20, "\(report)")
  }
}
