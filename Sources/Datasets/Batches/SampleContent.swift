import Tensors

/// What becomes of a sample's image in a batch: pixels, or something computed from them earlier.
///
/// Called from several threads at once.
public protocol SampleContent: Sendable {
  /// The numbers of one sample.
  var valueCount: Int { get }

  /// Writes a sample's numbers.
  /// - Parameters:
  ///   - random: The sample's own stream of draws; the same stream gives the same numbers.
  ///   - output: Room for ``valueCount`` numbers.
  /// - Throws: Where the sample is to be passed over; the output is then undefined.
  func write(
    _ sample: CaptionSample, of source: any SampleSource, using random: inout RandomStream,
    into output: UnsafeMutableBufferPointer<Float>) throws
}

/// Normalised pixels, `[3, height, width]`, read and decoded from the sample's file.
public struct PictureContent: SampleContent {
  public var decoder: ImageDecoder
  public var transform: ImageTransform

  public init(decoder: ImageDecoder = ImageDecoder(), transform: ImageTransform) {
    self.decoder = decoder
    self.transform = transform
  }

  public var valueCount: Int { transform.outputCount }

  public func write(
    _ sample: CaptionSample, of source: any SampleSource, using random: inout RandomStream,
    into output: UnsafeMutableBufferPointer<Float>
  ) throws {
    let bytes = try source.imageBytes(at: sample.index, limit: decoder.maximumFileSize)
    transform.apply(to: try decoder.decode(bytes: bytes), using: &random, into: output)
  }
}
