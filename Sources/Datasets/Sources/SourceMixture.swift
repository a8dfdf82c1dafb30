import Files
import Foundation
import Tensors

/// Several sources by weight.
///
/// An epoch has as many places as the sources have samples in all. Each source has its share of
/// them, to the sample, in random places; what it puts there is its own endless run of epochs, which
/// goes on from where the mixture's epoch before left it. So a source with twice its natural share
/// is seen twice as often, and one with half of it takes two epochs to be seen whole.
public final class SourceMixture: CaptionSource {
  public struct Part: Sendable {
    public var source: any CaptionSource
    /// The share of the places, in proportion to the other weights; nil for the number of samples.
    public var weight: Double?

    public init(_ source: any CaptionSource, weight: Double? = nil) {
      self.source = source
      self.weight = weight
    }
  }

  public static let partLimit = 1024

  public let parts: [Part]
  public let count: Int
  /// How many places of an epoch each source has.
  public let places: [Int]
  /// Where each source's samples and images begin, `[sources + 1]`.
  private let firstSamples: [Int]
  private let firstImages: [Int]

  /// - Throws: `DatasetError.badMixture`, `.tooManySamples`.
  public init(_ parts: [Part]) throws {
    guard (1...Self.partLimit).contains(parts.count) else {
      throw DatasetError.badMixture(
        problem: "a mixture of \(parts.count) sources; expected 1 to \(Self.partLimit)")
    }
    let given = parts.compactMap(\.weight)
    guard given.isEmpty || given.count == parts.count else {
      // A number of samples beside a ratio would drown it.
      throw DatasetError.badMixture(
        problem: "\(given.count) of \(parts.count) sources of a mixture have a weight; give all of "
          + "them one, or none, for shares by their numbers of samples")
    }
    let weights = parts.map { $0.weight ?? Double($0.source.count) }
    guard weights.allSatisfy({ $0 > 0 && $0 <= 1e15 }) else {
      throw DatasetError.badMixture(
        problem: "the weights \(weights) of a mixture; expected numbers above 0, at most 1e15")
    }
    self.parts = parts
    firstSamples = parts.map(\.source.count).starts
    firstImages = parts.map(\.source.imageCount).starts
    count = firstSamples[parts.count]
    try DatasetError.checkSampleCount(count)
    places = Self.places(count, weights: weights)
    if let unseen = places.firstIndex(of: 0) {
      throw DatasetError.badMixture(
        problem:
          "source \(unseen + 1) of a mixture would have none of the \(count) places of an epoch "
          + "with the weights \(weights); leave it out, or give it more weight")
    }
  }

  public var imageCount: Int { firstImages[parts.count] }
  public var pairCount: Int? {
    let counts = parts.compactMap(\.source.pairCount)
    return counts.count == parts.count ? counts.reduce(0, +) : nil
  }
  public var findings: [SourceFinding] { parts.flatMap(\.source.findings) }

  public func sample(at index: Int, seed: UInt64, epoch: Int) throws -> CaptionSample {
    let source = firstSamples.rangeIndex(of: index)
    var sample = try parts[source].source.sample(
      at: index - firstSamples[source], seed: Self.seed(seed, ofSource: source), epoch: epoch)
    sample.index = index
    sample.image += firstImages[source]
    sample.imageId = Self.imageId(sample.imageId, ofSource: source)
    sample.source = source
    return sample
  }

  public func record(at image: Int) throws -> CaptionRecord {
    let source = firstImages.rangeIndex(of: image)
    var record = try parts[source].source.record(at: image - firstImages[source])
    record.imageId = Self.imageId(record.imageId, ofSource: source)
    return record
  }

  public func imageBytes(ofImage image: Int, limit: Int) throws -> [UInt8] {
    let source = firstImages.rangeIndex(of: image)
    return try parts[source].source.imageBytes(
      ofImage: image - firstImages[source], limit: limit)
  }

  public func order(seed: UInt64, epoch: Int) -> SampleOrder {
    var sources = places.enumerated().flatMap { source, count in
      [UInt16](repeating: UInt16(source), count: count)
    }
    var random = RandomStream(.mixture, seed: seed, epoch: epoch)
    random.shuffle(&sources[...])
    var runs = parts.indices.map { source in
      OwnRun(
        parts[source].source, seed: Self.seed(seed, ofSource: source), from: epoch * places[source])
    }
    var indices: [UInt32] = []
    var epochs: [UInt32] = []
    indices.reserveCapacity(count)
    epochs.reserveCapacity(count)
    for source in sources {
      let visit = runs[Int(source)].next()
      indices.append(UInt32(firstSamples[Int(source)] + visit.index))
      epochs.append(UInt32(truncatingIfNeeded: visit.epoch))
    }
    return SampleOrder(indices: indices, epochs: epochs)
  }

  public func fingerprint() -> String {
    Self.mixed(zip(parts, places).map { part, places in "\(places):\(part.source.fingerprint());" })
  }

  public func imageFingerprint() -> String {
    Self.mixed(parts.map { "\($0.source.imageFingerprint());" })
  }

  private static func mixed(_ fingerprints: [String]) -> String {
    "mix:\(SHA256.hash(fingerprints.joined().utf8).hexadecimal)"
  }

  public func source(ofImage image: Int) -> Int { firstImages.rangeIndex(of: image) }

  /// Sources of one size would otherwise be gone through in one order.
  private static func seed(_ seed: UInt64, ofSource source: Int) -> UInt64 {
    seed ^ UInt64(source + 1) &* 0x9E37_79B9_7F4A_7C15
  }

  /// Numbers of images are below 2^47 or the upper half of 2^63, and stay apart from those of other
  /// sources.
  private static func imageId(_ id: Int64, ofSource source: Int) -> Int64 {
    id ^ Int64(source) << 47
  }

  /// Whole numbers in proportion to the weights that add up to `count`: the largest remainders are
  /// rounded up.
  private static func places(_ count: Int, weights: [Double]) -> [Int] {
    let total = weights.reduce(0, +)
    let exact = weights.map { Double(count) * ($0 / total) }
    var places = exact.map { Int($0) }
    let remainders = exact.map { $0 - $0.rounded(.down) }
    let byRemainder = weights.indices.sorted { first, second in
      remainders[first] == remainders[second]
        ? first < second : remainders[first] > remainders[second]
    }
    for source in byRemainder.prefix(max(0, count - places.reduce(0, +))) { places[source] += 1 }
    return places
  }
}

/// A source's own endless run: epoch after epoch, each in its own order.
private struct OwnRun {
  private let source: any CaptionSource
  private let seed: UInt64
  private var epoch: Int
  private var place: Int
  private var order: SampleOrder?

  /// - Parameter start: How many samples the run has seen.
  init(_ source: any CaptionSource, seed: UInt64, from start: Int) {
    self.source = source
    self.seed = seed
    epoch = start / source.count
    place = start % source.count
  }

  mutating func next() -> SampleOrder.Visit {
    if place == source.count {
      epoch += 1
      place = 0
      order = nil
    }
    let order = order ?? source.order(seed: seed, epoch: epoch)
    self.order = order
    defer { place += 1 }
    return order.visit(at: place)
  }
}
