import Files

/// What a ``BatchLoader`` reads: numbered samples, each an image file's bytes and a caption.
///
/// The loader knows nothing of lists, folders and shards, so that other stores only need to
/// conform. All requirements are called from several threads at once.
public protocol SampleSource: Sendable {
  /// The number of samples in one epoch.
  var count: Int { get }

  /// The sample as it is in the given epoch. The same arguments give the same sample.
  /// - Precondition: `index` is in `0..<count`.
  /// - Throws: ``SkippedSample`` where the sample is to be passed over, `DatasetError.systemFailure`
  ///   where no sample is to follow.
  func sample(at index: Int, seed: UInt64, epoch: Int) throws -> CaptionSample

  /// The bytes of an image's file.
  /// - Parameter image: The image's number, as samples have it.
  /// - Throws: Where they cannot be read, or are more than `limit`; `DatasetError.systemFailure`
  ///   where the system failed, so that no sample is to follow.
  func imageBytes(ofImage image: Int, limit: Int) throws -> [UInt8]

  /// The order in which a training epoch visits the samples: a pure function of the arguments, with
  /// `count` places.
  func order(seed: UInt64, epoch: Int) -> SampleOrder
}

extension SampleSource {
  /// All samples in any order, each permutation as likely as any other.
  public func order(seed: UInt64, epoch: Int) -> SampleOrder {
    SampleOrder(count: count, seed: seed, epoch: epoch)
  }
}

/// An image and one caption for it.
public struct CaptionSample: Equatable, Sendable {
  /// The sample's number in its source.
  public var index: Int
  /// The number of its image in the source; samples may share one.
  public var image: Int
  /// Samples of the same image have the same number.
  public var imageId: Int64
  public var caption: String
  /// The caption's token ids, where the loader makes them.
  public var tokens: [Int32] = []
  /// Where the image lies, for messages.
  public var path: String
  /// Which of a mixture's sources the sample comes from; 0 where there is one.
  public var source: Int

  public init(
    index: Int, image: Int, imageId: Int64, caption: String, path: String, source: Int = 0
  ) {
    self.index = index
    self.image = image
    self.imageId = imageId
    self.caption = caption
    self.path = path
    self.source = source
  }
}

/// A sample that is passed over: its caption cannot be had, or its image.
public struct SkippedSample: Error, Equatable, Sendable {
  /// Where the sample lies.
  public var path: String
  public var reason: String
}

extension SkippedSample: CustomStringConvertible {
  /// For people.
  public var description: String { FileName.displayed("\(path): \(reason)") }
}

extension SkippedSample {
  /// What becomes of a sample that an error kept from being read.
  /// - Parameter path: Where it lies, as far as is known.
  /// - Throws: What is no matter of one sample: a failure of the system, what a ``ContentFailure`` holds.
  init(at path: String, _ error: any Error) throws {
    switch error {
    case let failure as ContentFailure: throw failure.error
    case let error as DatasetError where error.isSystemFailure: throw error
    case let skipped as SkippedSample: self = skipped
    default: self.init(path: path, reason: ImageError.reason(of: error))
    }
  }
}
