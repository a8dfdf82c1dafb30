/// The images of a source, one sample each and in their order, whatever their captions.
public struct ImagesOnce: SampleSource {
  private let source: any CaptionSource

  public init(_ source: any CaptionSource) { self.source = source }

  public var count: Int { source.imageCount }

  public func sample(at index: Int, seed: UInt64, epoch: Int) -> CaptionSample {
    // The image may be sound although its captions cannot be had.
    CaptionSample(
      index: index, image: index, imageId: Int64(index), caption: "",
      path: source.path(ofImage: index), source: source.source(ofImage: index))
  }

  public func imageBytes(ofImage image: Int, limit: Int) throws -> [UInt8] {
    try source.imageBytes(ofImage: image, limit: limit)
  }
}
