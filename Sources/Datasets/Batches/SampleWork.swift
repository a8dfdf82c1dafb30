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
    /// The loader is to end with this error.
    case failed(any Error)
  }

  /// - Parameters:
  ///   - place: The place in the run, on which the augmentation depends.
  ///   - visit: The sample at that place, and its epoch.
  ///   - output: Room for the sample's numbers, undefined where the sample is skipped.
  func load(
    place: LoaderPosition, visit: SampleOrder.Visit,
    into output: UnsafeMutableBufferPointer<Float>
  ) -> Outcome {
    let sample: CaptionSample
    do {
      sample = try source.sample(at: visit.index, seed: seed, epoch: visit.epoch)
    } catch let error as DatasetError where error.isSystemFailure {
      return .failed(error)
    } catch let error as SampleError {
      return .skipped(SkippedSample(path: error.path, reason: error.reason))
    } catch {
      return .skipped(SkippedSample(path: "sample \(visit.index)", reason: "\(error)"))
    }
    do {
      var random = RandomStream(
        Philox(seed: seed, stream: UInt64(place.epoch)), site: RandomSite.augmentation.rawValue,
        sample: UInt32(place.position))
      try content.write(sample, of: source, using: &random, into: output)
      return .sample(sample)
    } catch let failure as ContentFailure {
      return .failed(failure.error)
    } catch let error as DatasetError where error.isSystemFailure {
      return .failed(error)
    } catch let error as ImageError {
      return .skipped(SkippedSample(path: sample.path, reason: "\(error.reason)"))
    } catch {
      return .skipped(SkippedSample(path: sample.path, reason: "\(error)"))
    }
  }
}
