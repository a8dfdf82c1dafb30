import Foundation
import TestSupport
import Testing

@testable import Training

/// Signals: which of them end a run, how soon, and with what saved.
@Suite struct StopTests {
  /// Micro-batches without end: a stop must not wait for a step.
  @Test(arguments: [
    ["training.accumulation=60000"],
    ["training.accumulation=1", "training.batchSize=160", "training.chunkSize=2"],
  ])
  func endsWithinAPartOfAStep(_ settings: [String]) throws {
    let run = try TinyRun(steps: 100_000)
    let first = try BuiltTool.run(run.arguments("a", ["--max-steps", "2"]))
    #expect(first.status == 0, "\(first.errors)")
    let running = try BuiltTool.start(
      run.arguments(
        "a",
        ["--resume"] + (settings + ["resume.allowChangedData=true"]).flatMap { ["--set", $0] }))
    running.waitForOutput("resumed from")
    // What comes before the step takes less.
    running.waitForWork(.seconds(2))
    let (result, work) = running.stop(SIGTERM)
    // Far more than a micro-batch takes, far less than 60,000 of them.
    #expect(work < .seconds(20))
    #expect(result.status == 128 + SIGTERM, "\(result.errors)")
    #expect(result.errors.contains("SIGTERM: giving the present step up"))
  }

  /// What `nohup`, and a script's `&`, ignore for a program stays ignored.
  @Test(arguments: [(SIGHUP, "HUP"), (SIGINT, "INT"), (SIGUSR1, "USR1")])
  func anIgnoredSignalStaysIgnored(_ signal: Int32, _ name: String) throws {
    let run = try TinyRun(steps: 30)
    let running = try BuiltTool.start(run.arguments("a"), after: "trap '' \(name)")
    running.waitForOutput("step 3/")
    running.send(signal)
    let result = running.finish()
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("done: "))
  }

  /// The numbers of the log are those of a run that was never stopped, also within a line's steps.
  @Test func metricsAfterAResumeEqualThoseWithout() throws {
    let run = try TinyRun(steps: 20)
    let every = ["--set", "log.every=5", "--set", "checkpoint.every=3"]
    #expect(try BuiltTool.run(run.arguments("whole", every)).status == 0)
    for stop in ["4", "8", "13", "20"] {
      let resume = stop == "4" ? [] : ["--resume"]
      let part = try BuiltTool.run(run.arguments("parts", every + resume + ["--max-steps", stop]))
      #expect(part.status == 0, "\(part.errors)")
    }
    // What no two runs have in common.
    let measured: Set = [
      "seconds", "samplesPerSecond", "stepSeconds", "dataSeconds", "validationSeconds",
      "saveSeconds", "peakMemory",
    ]
    func numbers(_ name: String) throws -> [[String: Double]] {
      try String(contentsOfFile: run.output(name) + "/metrics.jsonl", encoding: .utf8)
        .split(separator: "\n").map { line in
          let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
          return (object ?? [:]).compactMapValues { $0 as? Double }
            .filter { !measured.contains($0.key) }
        }
    }
    let (whole, parts) = (try numbers("whole"), try numbers("parts"))
    #expect(whole.count == 4 && whole[0].keys.contains("itm"))
    #expect(whole == parts)
  }
}
