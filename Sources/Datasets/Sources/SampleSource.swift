/// What a ``BatchLoader`` reads: numbered samples, each an image file's bytes and a caption.
///
/// The loader knows nothing of lists and folders, so that other stores (archives, mixtures of
/// several sets) only need to conform. All requirements are called from several threads at once.
public protocol SampleSource: Sendable {
  /// The number of samples in one epoch.
  var count: Int { get }

  /// The sample as it is in the given epoch. The same arguments give the same sample.
  /// - Precondition: `index` is in `0..<count`.
  func sample(at index: Int, seed: UInt64, epoch: Int) -> CaptionSample

  /// The bytes of the sample's image file.
  /// - Throws: Where they cannot be read, or are more than `limit`.
  func imageBytes(at index: Int, limit: Int) throws -> [UInt8]
}

/// An image and one caption for it.
public struct CaptionSample: Equatable, Sendable {
  /// The sample's number in its source.
  public var index: Int
  /// The number of its image in the source; samples may share one.
  public var image: Int
  /// Samples of the same image have the same number.
  public var imageId: Int32
  public var caption: String
  /// Where the image lies, for messages.
  public var path: String

  public init(index: Int, image: Int, imageId: Int32, caption: String, path: String) {
    self.index = index
    self.image = image
    self.imageId = imageId
    self.caption = caption
    self.path = path
  }
}
