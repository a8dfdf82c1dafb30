import Foundation

/// `metrics.jsonl` in the run's folder: one JSON object a line, each with its step.
///
/// When a run goes on from a checkpoint, lines of later steps and a half-written last line are
/// dropped first, so that no step comes twice.
public final class MetricsLog {
  private let handle: FileHandle
  private let url: URL

  /// - Parameter step: The step to go on from.
  /// - Throws: `RunError.cannotWrite`.
  public init(folder: URL, continuingFrom step: Int) throws {
    url = folder.appendingPathComponent("metrics.jsonl")
    do {
      try MetricsLog.keepLines(of: url, upTo: step)
      handle = try FileHandle(forWritingTo: url)
      try handle.seekToEnd()
    } catch {
      throw RunError.cannotWrite(file: url.path, reason: "\(error.localizedDescription)")
    }
  }

  private static func keepLines(of url: URL, upTo step: Int) throws {
    let isThere = FileManager.default.fileExists(atPath: url.path)
    let text = isThere ? String(decoding: try Data(contentsOf: url), as: UTF8.self) : ""
    let kept = text.split(separator: "\n").filter { line in
      guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)),
        let entry = object as? [String: Any], let number = entry["step"] as? Int
      else { return false }
      return number <= step && step > 0
    }
    try Data(kept.map { $0 + "\n" }.joined().utf8).write(to: url, options: .atomic)
  }

  /// Appends one line and hands it to the system.
  /// - Throws: `RunError.cannotWrite`.
  func write(step: Int, kind: String, _ values: [(String, Double)]) throws {
    let numbers = values.map { name, value in
      "\"\(name)\":" + (value.isFinite ? MetricsLog.number(value) : "null")
    }
    let line = "{\"step\":\(step),\"kind\":\"\(kind)\"," + numbers.joined(separator: ",") + "}\n"
    do {
      try handle.write(contentsOf: Data(line.utf8))
    } catch {
      throw RunError.cannotWrite(file: url.path, reason: error.localizedDescription)
    }
  }

  /// Seven significant digits: the precision of what is logged.
  private static func number(_ value: Double) -> String {
    String(format: "%.7g", value)
  }
}
