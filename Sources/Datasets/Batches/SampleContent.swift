import Tensors

/// What becomes of a sample's image in a batch: pixels, or something computed from them earlier.
///
/// Called from several threads at once.
public protocol SampleContent: Sendable {
  /// The shape of one sample's numbers.
  var shape: [Int] { get }

  /// Writes a sample's numbers.
  /// - Parameters:
  ///   - random: The sample's own stream of draws; the same stream gives the same numbers.
  ///   - output: Room for ``valueCount`` numbers.
  /// - Throws: ``ContentFailure`` or `DatasetError.systemFailure` where no more samples are to follow, any other error where this one
  ///   is to be passed over; the output is then undefined.
  func write(
    _ sample: CaptionSample, of source: any SampleSource, using random: inout RandomStream,
    into output: UnsafeMutableBufferPointer<Float>) throws
}

extension SampleContent {
  /// How many numbers a sample has.
  public var valueCount: Int { shape.reduce(1, *) }
}

/// The end of a loader: what the samples are made from is not fit to be used, which is not a matter of one
/// broken image.
public struct ContentFailure: Error {
  /// What the loader ends with.
  public let error: any Error

  public init(_ error: any Error) { self.error = error }
}

/// Normalised pixels, `[3, height, width]`, read and decoded from the sample's file.
public struct ImageContent: SampleContent {
  private let decoder: ImageDecoder
  private let transforms: [ImageTransform]

  /// - Parameter transforms: One for all samples, or one for each of a mixture's sources.
  /// - Precondition: There is one at least, and all give images of one size.
  public init(decoder: ImageDecoder = ImageDecoder(), transforms: [ImageTransform]) {
    precondition(
      Set(transforms.map(\.size)).count == 1, "images of \(transforms.map(\.size)) in one batch")
    self.decoder = decoder
    self.transforms = transforms
  }

  /// One transform for all samples.
  public init(decoder: ImageDecoder = ImageDecoder(), transform: ImageTransform) {
    self.init(decoder: decoder, transforms: [transform])
  }

  public var shape: [Int] { [3, transforms[0].size.height, transforms[0].size.width] }

  public func write(
    _ sample: CaptionSample, of source: any SampleSource, using random: inout RandomStream,
    into output: UnsafeMutableBufferPointer<Float>
  ) throws {
    let transform = transforms[transforms.count == 1 ? 0 : sample.source]
    let bytes = try source.imageBytes(ofImage: sample.image, limit: decoder.maximumFileSize)
    transform.apply(to: try decoder.decode(bytes: bytes), using: &random, into: output)
  }
}
