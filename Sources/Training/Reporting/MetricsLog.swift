import Foundation

/// `metrics.jsonl` in the run's folder: one JSON object a line, each with its step.
///
/// When a run goes on from a checkpoint, lines of later steps and a half-written last line are
/// dropped first, so that no step comes twice.
public final class MetricsLog {
  private let handle: FileHandle
  private let url: URL

  /// - Parameters:
  ///   - step: The step to go on from.
  ///   - isValidated: Whether the run knows that it judged held-out pairs after this step; if not, it
  ///     does so again, and an earlier line of it is dropped.
  /// - Throws: `RunError.cannotWrite`.
  public init(folder: URL, continuingFrom step: Int, isValidated: Bool = true) throws {
    url = folder.appendingPathComponent("metrics.jsonl")
    do {
      try MetricsLog.keepLines(of: url, upTo: step, isValidated: isValidated)
      handle = try FileHandle(forWritingTo: url)
      try handle.seekToEnd()
    } catch {
      throw RunError.cannotWrite(file: url.path, reason: "\(error.localizedDescription)")
    }
  }

  private static func keepLines(of url: URL, upTo step: Int, isValidated: Bool) throws {
    let isThere = FileManager.default.fileExists(atPath: url.path)
    let text = isThere ? String(decoding: try Data(contentsOf: url), as: UTF8.self) : ""
    let kept = text.split(separator: "\n").filter { line in
      guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)),
        let entry = object as? [String: Any], let number = entry["step"] as? Int
      else { return false }
      let comesAgain = number == step && !isValidated && entry["kind"] as? String != "train"
      return number <= step && step > 0 && !comesAgain
    }
    try Data(kept.map { $0 + "\n" }.joined().utf8).write(to: url, options: .atomic)
  }

  /// Appends one line and hands it to the system.
  /// - Throws: `RunError.cannotWrite`.
  func write(step: Int, kind: String, _ values: [(String, Double)]) throws {
    let numbers = values.map { name, value in
      "\"\(name)\":" + (value.isFinite ? MetricsLog.number(value) : "null")
    }
    try append("{\"step\":\(step),\"kind\":\"\(kind)\"," + numbers.joined(separator: ",") + "}\n")
  }

  /// Appends a line with what the model says of held-out pictures, if it says anything.
  /// - Throws: `RunError.cannotWrite`.
  func write(step: Int, _ pictures: [SamplePicture]) throws {
    let captions = pictures.compactMap { picture in
      picture.caption.map {
        CaptionLine.Caption(picture: picture.path, truth: picture.truth, caption: $0)
      }
    }
    if captions.isEmpty { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let line = try encoder.encode(CaptionLine(step: step, captions: captions))
    try append(String(decoding: line, as: UTF8.self) + "\n")
  }

  private struct CaptionLine: Encodable {
    struct Caption: Encodable {
      let picture: String
      let truth: [String]
      let caption: String
    }

    let step: Int
    let kind = "captions"
    let captions: [Caption]
  }

  private func append(_ line: String) throws {
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
