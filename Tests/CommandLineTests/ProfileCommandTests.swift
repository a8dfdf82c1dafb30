import Foundation
import TestSupport
import Testing

/// `--profile`: the table and the trace of a short run.
struct ProfileCommandTests {
  private struct Trace: Decodable {
    struct Event: Decodable {
      let name: String
      let cat: String
      let ph: String
      let ts: Double
      let dur: Double
    }
    let traceEvents: [Event]
  }

  @Test func tableAndTrace() throws {
    let folder = try TemporaryFolder()
    let trace = folder.url.appendingPathComponent("trace.json")
    let result = try BuiltTool.run([
      "bench", "stage1", "--small", "--batch", "2", "--steps", "2", "--image-tokens", "5",
      "--precision", "bf16", "--profile", trace.path,
    ])
    #expect(result.status == 0, "\(result.errors)")
    for line in [#/linear +forward +[\d.]+ /#, #/linear +backward +/#, #/AdamW +1\.0 /#] {
      #expect(result.output.contains(line))
    }
    #expect(result.output.contains(#/products at their limit: [\d.]+ % of the time/#))
    #expect(result.output.contains(trace.path))

    let events = try JSONDecoder().decode(Trace.self, from: Data(contentsOf: trace)).traceEvents
    #expect(events.contains { $0.name == "attention" && $0.cat == "backward" })
    #expect(events.allSatisfy { $0.ph == "X" && $0.dur >= 0 })
    // Each run begins where the one before it ended, to a rounding of the microseconds.
    for (event, next) in zip(events, events.dropFirst()) {
      #expect(abs(event.ts + event.dur - next.ts) < 0.01)
    }
  }

  @Test func aPlaceThatCannotBeWrittenIsNamed() throws {
    let result = try BuiltTool.run([
      "bench", "stage1", "--small", "--batch", "2", "--steps", "1", "--image-tokens", "5",
      "--profile", "/nowhere/trace.json",
    ])
    // Before the work, not after it.
    #expect(result.status == 1)
    #expect(result.errors.contains("--profile: /nowhere/trace.json"))
    #expect(!result.output.contains("products at their limit"))
  }
}
