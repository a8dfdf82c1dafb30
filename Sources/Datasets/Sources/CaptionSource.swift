import Foundation

/// A source that can also be asked for an image with all that is said about it: what validation,
/// checks and packing go through.
public protocol CaptionSource: AnyObject, SampleSource {
  var imageCount: Int { get }

  /// The number of pairs of image and caption; nil where it would take reading every caption.
  var pairCount: Int? { get }

  /// An image with all its captions.
  /// - Precondition: `image` is in `0..<imageCount`.
  /// - Throws: ``SkippedSample`` where the captions cannot be had, `DatasetError.systemFailure` where
  ///   the system failed.
  func record(at image: Int) throws -> CaptionRecord

  /// Text that changes with what the samples are and with the order in which they are visited, but
  /// not when the data is moved: it is there to notice that a run goes on with other data.
  func fingerprint() -> String

  /// Text that changes with the image files, their order and their sizes alone: it tells whether what
  /// was computed from the images still belongs to them.
  func imageFingerprint() -> String

  /// Which of a mixture's sources an image belongs to; 0 where there is one.
  func source(ofImage image: Int) -> Int

  /// What was noticed when the source was opened.
  var findings: [SourceFinding] { get }
}

extension CaptionSource {
  public func source(ofImage image: Int) -> Int { 0 }
  public var findings: [SourceFinding] { [] }

  /// Where an image lies, for messages; its number where nobody can say.
  public func path(ofImage image: Int) -> String {
    (try? record(at: image).imagePath) ?? "image \(image)"
  }
}

/// What a sample is where images have several captions.
public enum CaptionPolicy: String, Sendable, Codable, CaseIterable {
  /// One sample for each image; a caption is drawn at each visit.
  case draw
  /// One sample for each pair of image and caption.
  case all
}

/// Something noticed about a source as a whole.
public struct SourceFinding: Equatable, Sendable {
  public enum Kind: String, Sendable {
    case shards = "shards"
    /// Files in a shard that belong to no sample.
    case ignoredMembers = "other files"
    case withoutImage = "without an image"
    case withoutText = "without a text"
    /// Images of Karpathy's splits for another use.
    case otherSplits = "of other splits"
    case withoutWords = "captions without a word"
    case unknownWords = "captions of unknown words"
    case cutCaptions = "captions that are cut"
    /// Images of the same bytes as an earlier one, with the same captions.
    case repeatedPairs = "repeated pairs"
    /// Held-out images that are trained on too.
    case alsoTrained = "also in training"
    /// Shards that could not be read to their end.
    case damagedShards = "damaged shards"
  }

  public var kind: Kind
  public var count: Int
  /// The first few of them.
  public var examples: [String]

  static let exampleLimit = 5

  public init(_ kind: Kind, count: Int = 0, examples: [String] = []) {
    self.kind = kind
    self.count = count
    self.examples = examples
  }

  mutating func add(_ example: @autoclosure () -> String) {
    count += 1
    if examples.count < Self.exampleLimit { examples.append(example()) }
  }

  mutating func add(_ other: SourceFinding) {
    count += other.count
    examples = Array((examples + other.examples).prefix(Self.exampleLimit))
  }
}
