import Files
import Foundation
import Reporting

/// Where a run's numbers go: `metrics.jsonl`, TensorBoard, and in words to the terminal.
struct RunLog {
  let metrics: MetricsLog
  let tensorBoard: TensorBoardLog?
  let progress: ProgressReporter

  func write(step: Int, kind: String, _ values: NamedValues) {
    if let failure = metrics.write(step: step, kind: kind, values) {
      progress.say("warning: \(failure); the run goes on, and its numbers are kept for later")
    }
    tensorBoard?.write(step: step, kind: kind, values)
  }

  /// A validation's numbers, images and lines.
  func write(step: Int, _ report: ValidationReport) throws {
    write(step: step, kind: "validation", report.values)
    try metrics.write(step: step, report.images)
    tensorBoard?.write(step: step, report.images)
    for line in report.lines { progress.say(line) }
  }

  /// Writes what still waits, to the folder that the run is saved in by now.
  /// - Returns: Why some of it still waits, where it does.
  func finish(in folder: URL) -> SystemFailure? {
    metrics.follow(to: folder)
    let unwritten = [metrics.flush(), tensorBoard?.flush()]
    return unwritten.compactMap { $0 }.first
  }
}
