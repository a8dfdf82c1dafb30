import Tensors

/// What is done to an image between its file and the image encoder.
///
/// Every draw comes from the stream that the caller gives, so the same stream gives the same
/// numbers whichever thread asks.
public struct ImageTransform: Sendable, Codable, Hashable {
  /// How the image is brought to the encoder's size.
  public enum Framing: Sendable, Codable, Hashable {
    /// The whole image, whatever that does to its proportions.
    case whole
    case randomResizedCrop(RandomResizedCrop)
  }

  /// The encoder's input size.
  public var size: ImageSize
  public var framing: Framing
  /// How often left and right change places.
  public var flipProbability: Float
  /// What is done to the image at the encoder's size; nil for nothing.
  public var randAugment: RandAugment?
  public var normalization: ImageNormalization

  public init(
    size: ImageSize, framing: Framing, flipProbability: Float, randAugment: RandAugment? = nil,
    normalization: ImageNormalization
  ) {
    precondition(size.width > 0 && size.height > 0, "images of \(size) have no pixels")
    precondition(
      (0...1).contains(flipProbability), "the flip probability \(flipProbability) is not in 0...1")
    self.size = size
    self.framing = framing
    self.flipProbability = flipProbability
    self.randAugment = randAugment
    self.normalization = normalization
  }

  /// Training as in Li et al. 2023: a random resized crop, flipped half of the time.
  public static func training(
    side: Int = 224, crop: RandomResizedCrop = RandomResizedCrop(), flipProbability: Float = 0.5,
    normalization: ImageNormalization = .clip
  ) -> ImageTransform {
    ImageTransform(
      size: ImageSize(width: side, height: side), framing: .randomResizedCrop(crop),
      flipProbability: flipProbability, normalization: normalization)
  }

  /// Evaluation: the whole image, resized; nothing is drawn.
  public static func evaluation(
    side: Int = 224, normalization: ImageNormalization = .clip
  ) -> ImageTransform {
    ImageTransform(
      size: ImageSize(width: side, height: side), framing: .whole, flipProbability: 0,
      normalization: normalization)
  }

  /// The numbers that one image becomes: 3 x height x width.
  public var outputCount: Int { 3 * size.width * size.height }

  /// - Parameter output: Room for `[3, height, width]`.
  public func apply(
    to image: RGBImage, using random: inout RandomStream,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    let box: PixelBox
    switch framing {
    case .whole: box = image.bounds
    case .randomResizedCrop(let crop): box = crop.box(in: image.size, using: &random)
    }
    let flips = flipProbability > 0 && random.uniform() < flipProbability
    let resized = image.resized(box, to: size)
    guard let randAugment else {
      normalization.write(resized, flipped: flips, into: output)
      return
    }
    let augmented = randAugment.apply(
      to: flips ? resized.turned(.mirrored) : resized, using: &random)
    normalization.write(augmented, into: output)
  }

  /// - Returns: `[3, height, width]`.
  public func apply(to image: RGBImage, using random: inout RandomStream) -> [Float] {
    [Float](count: outputCount) { apply(to: image, using: &random, into: $0) }
  }
}
