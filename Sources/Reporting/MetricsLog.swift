import Files
import Foundation

/// `metrics.jsonl` in the run's folder: one JSON object a line, each with its step.
///
/// When a run goes on from a checkpoint, lines of later steps and a half-written last line are
/// dropped first, so that no step comes twice. A line that the system does not take waits for the next.
public final class MetricsLog {
  package static let fileName = "metrics.jsonl"

  private let file: GrowingFile

  /// - Parameters:
  ///   - step: The step to go on from.
  ///   - isValidated: Whether the run knows that it judged held-out pairs after this step; if not, it
  ///     does so again, and an earlier line of it is dropped.
  /// - Throws: `SystemFailure`.
  public init(folder: URL, continuingFrom step: Int, isValidated: Bool = true) throws {
    let path = folder.appendingPathComponent(MetricsLog.fileName).path
    try MetricsLog.keepLines(of: path, upTo: step, isValidated: isValidated)
    file = try GrowingFile(path)
  }

  /// Goes on in another folder, where the run is saved by now; what was written stays where it is.
  package func follow(to folder: URL) {
    let path = folder.appendingPathComponent(MetricsLog.fileName).path
    if path == file.path { return }
    // What cannot be moved is told of by `flush`.
    try? file.move(to: path)
  }

  /// Tries once more to write the lines that wait.
  /// - Returns: Why some still do; nil where all are written.
  package func flush() -> SystemFailure? { file.flush() }

  private static func keepLines(of path: String, upTo step: Int, isValidated: Bool) throws {
    // A link, or a folder, is refused by the opening that follows.
    guard let handle = FileHandle(forReadingAtPath: path) else { return }
    defer { try? handle.close() }
    let text = String(decoding: (try? handle.readToEnd() ?? Data()) ?? Data(), as: UTF8.self)
    let kept = text.split(separator: "\n").filter { line in
      guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)),
        let entry = object as? [String: Any], let number = entry["step"] as? Int
      else { return false }
      let comesAgain = number == step && !isValidated && entry["kind"] as? String != "train"
      return number <= step && step > 0 && !comesAgain
    }.map { $0 + "\n" }.joined()
    if kept != text { try AtomicFile.write(kept.utf8, to: path) }
  }

  /// Appends one line and hands it to the system.
  /// - Returns: Why it waits, where that has just begun.
  @discardableResult
  package func write(step: Int, kind: String, _ values: [(String, Double)]) -> SystemFailure? {
    // Seven significant digits: the precision of what is logged.
    let numbers = values.map { name, value in
      "\"\(name)\":" + (value.isFinite ? String(format: "%.7g", value) : "null")
    }
    let line = "{\"step\":\(step),\"kind\":\"\(kind)\"," + numbers.joined(separator: ",") + "}\n"
    return file.append(line.utf8)
  }

  /// Appends a line with what the model generates for held-out images, if it generates anything.
  package func write(step: Int, _ images: [SampleImage]) throws {
    let captions = images.compactMap { image in
      image.caption.map {
        CaptionLine.Caption(image: image.path, truth: image.truth, caption: $0)
      }
    }
    if captions.isEmpty { return }
    let line = try JSONLine.text(CaptionLine(step: step, captions: captions)) + "\n"
    file.append(line.utf8)
  }

  private struct CaptionLine: Encodable {
    struct Caption: Encodable {
      let image: String
      let truth: [String]
      let caption: String
    }

    let step: Int
    let kind = "captions"
    let captions: [Caption]
  }
}
