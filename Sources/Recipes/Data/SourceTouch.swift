import Datasets
import Foundation
import Training

extension RunData {
  /// How many images of a source are tried at most.
  private static let tries = 8

  /// Reads an image of every source, so that one whose images lie elsewhere is known before the first
  /// step, and not by the first validation hours later.
  /// - Throws: `KeyedError` that names the source's key and why no image could be read, or how the system
  ///   failed.
  func touchSources(tower: VisionTower) throws {
    if let mixture = train as? SourceMixture {
      for (index, part) in mixture.parts.enumerated() {
        try touch(part.source, key: "data.train.mix[\(index)].path")
      }
    } else if let train {
      try touch(train, key: "data.train.path")
    }
    if let validation { try touch(validation, key: "data.validation.path") }
  }

  private func touch(_ source: any CaptionSource, key: String) throws {
    var reasons: [String] = []
    for image in SampleImages.spread(Self.tries, over: source.imageCount) {
      do {
        let bytes = try source.imageBytes(ofImage: image, limit: decoder.maximumFileSize)
        _ = try decoder.decode(bytes: bytes)
        return
      } catch let error as DatasetError where error.isSystemFailure {
        throw KeyedError(key: key, error: error)
      } catch {
        reasons.append("\(source.path(ofImage: image)): \(ImageError.reason(of: error))")
      }
    }
    throw KeyedError(
      key: key, error: RunError.unreadableSource(tried: reasons.count, first: reasons[0]))
  }
}
