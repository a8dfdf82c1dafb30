import Foundation
import Tensors

/// What a worker does for one place of the order: makes one sample's content.
struct SampleWork: Sendable {
  let source: any SampleSource
  let content: any SampleContent
  let seed: UInt64

  enum Outcome: Sendable {
    case sample(CaptionSample)
    case skipped(SkippedSample)
  }

  /// - Parameters:
  ///   - place: The place in the epoch's order, on which the augmentation depends.
  ///   - index: The sample at that place.
  ///   - output: Room for the sample's numbers, undefined where the sample is skipped.
  func load(
    epoch: Int, place: Int, index: Int, into output: UnsafeMutableBufferPointer<Float>
  ) -> Outcome {
    let sample = source.sample(at: index, seed: seed, epoch: epoch)
    do {
      var random = RandomStream(
        Philox(seed: seed, stream: UInt64(epoch)), site: RandomSite.augmentation.rawValue,
        sample: UInt32(place))
      try content.write(sample, of: source, using: &random, into: output)
      return .sample(sample)
    } catch let error as ImageError {
      return .skipped(SkippedSample(path: sample.path, reason: "\(error.reason)"))
    } catch {
      return .skipped(SkippedSample(path: sample.path, reason: "\(error)"))
    }
  }
}
