import Foundation
import Tensors

/// What a worker does for one place of the order: makes one sample's content.
struct SampleWork: Sendable {
  let source: any SampleSource
  let content: any SampleContent
  /// Makes a caption's token ids.
  let encode: (@Sendable (String) -> [Int32])?
  let pass: BatchLoaderOptions.Pass
  let seed: UInt64

  enum Outcome: Sendable {
    /// A sample, and the unreadable one whose place it takes, if any.
    case sample(CaptionSample, insteadOf: SkippedSample? = nil)
    case skipped(SkippedSample)
  }

  /// How many samples are drawn in an unreadable one's place, and how many of those that follow it are
  /// tried then, where few are readable, before the run is given up.
  private static let mostDraws = 100
  private static let mostFollowing = 10_000

  func order(of epoch: Int) -> SampleOrder {
    switch pass {
    case .training: source.order(seed: seed, epoch: epoch)
    case .evaluation: SampleOrder(sequential: source.count, epoch: epoch)
    }
  }

  /// Loads the sample at a place of the order.
  ///
  /// What stands in for an unreadable sample in training depends on seed, epoch and place alone, so that
  /// batches keep their sizes, and a batch that several processes share is that of one.
  /// - Parameters:
  ///   - place: The place in the run, on which the augmentation depends.
  ///   - order: The epoch's order.
  ///   - output: Room for the sample's numbers, undefined where there is no sample.
  /// - Throws: What the loader is to end with.
  func load(
    place: LoaderPosition, order: SampleOrder, into output: UnsafeMutableBufferPointer<Float>
  ) throws -> Outcome {
    let outcome = try load(place: place, visit: order.visit(at: place.position), into: output)
    guard pass == .training, case .skipped(let unreadable) = outcome else { return outcome }
    var random = RandomStream(.replacement, seed: seed, epoch: place.epoch, sample: place.position)
    var tried = [unreadable]
    let following = min(order.count, Self.mostFollowing)
    for attempt in 0..<Self.mostDraws + following {
      let other =
        attempt < Self.mostDraws
        ? Int(random.number(below: UInt32(order.count)))
        : (place.position + 1 + attempt - Self.mostDraws) % order.count
      switch try load(place: place, visit: order.visit(at: other), into: output) {
      case .sample(let sample, _): return .sample(sample, insteadOf: unreadable)
      case .skipped(let another): tried.append(another)
      }
    }
    throw DatasetError.nothingReadable(
      tried: tried.count, lastReasons: tried.suffix(3).map(\.description))
  }

  private func load(
    place: LoaderPosition, visit: SampleOrder.Visit,
    into output: UnsafeMutableBufferPointer<Float>
  ) throws -> Outcome {
    var path = "sample \(visit.index)"
    do {
      var sample = try source.sample(at: visit.index, seed: seed, epoch: visit.epoch)
      path = sample.path
      var random = RandomStream(
        .augmentation, seed: seed, epoch: place.epoch, sample: place.position)
      try content.write(sample, of: source, using: &random, into: output)
      if let encode { sample.tokens = encode(sample.caption) }
      return .sample(sample)
    } catch {
      return .skipped(try SkippedSample(at: path, error))
    }
  }
}
