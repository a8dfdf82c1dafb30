import Files
import Foundation

/// What a run shows in TensorBoard: its numbers under the names of `metrics.jsonl`, `train/itc` or
/// `validation/cosine.imageToText.r1`, and a few held-out images with what is said of them.
///
/// A run that goes on begins another file in the folder. Every file opens with a start event; by all
/// but the first TensorBoard drops what it has read of later steps.
public final class TensorBoardLog {
  private let file: EventFile

  /// - Parameters:
  ///   - output: The run's folder; the files lie in `tensorboard` in it.
  ///   - step: The step to go on from.
  /// - Throws: `SystemFailure`.
  public init(output: URL, continuingFrom step: Int) throws {
    file = try EventFile(
      folder: output.appendingPathComponent(TensorBoardLog.folderName, isDirectory: true))
    append(step: step + 1, .start)
  }

  package static let folderName = "tensorboard"

  /// Tries once more to write the records that wait.
  /// - Returns: Why some still do; nil where all are written.
  package func flush() -> SystemFailure? { file.flush() }

  package func write(step: Int, kind: String, _ values: [(name: String, value: Double)]) {
    append(
      step: step, .summary(values.map { .scalar(tag: "\(kind)/\($0.name)", $0.value) }))
  }

  /// Each image with a table of its captions, under tags that begin alike.
  package func write(step: Int, _ images: [SampleImage]) {
    for (number, image) in images.enumerated() {
      let tag = "images/\(number + 1)"
      var rows = [["file", image.path]] + image.truth.map { ["truth", $0] }
      if let caption = image.caption { rows.append(["caption", caption]) }
      var values: [TensorBoardEvent.Value] = [.table(tag: tag + "/text", rows)]
      if let encoded = image.encoded { values.append(.image(tag: tag + "/image", encoded)) }
      append(step: step, .summary(values))
    }
  }

  private func append(step: Int, _ content: TensorBoardEvent.Content) {
    file.append(
      TensorBoardEvent(wallTime: Date().timeIntervalSince1970, step: step, content: content))
  }
}
