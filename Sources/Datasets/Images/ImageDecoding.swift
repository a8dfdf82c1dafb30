import Configuration

/// What becomes of the parts of an image file that three 8-bit channels cannot hold.
///
/// The original BLIP-2 code calls Pillow's `convert("RGB")`, whose choices are the `original` ones
/// here: they lose information, so they are not the defaults.
public struct ImageDecoding: Sendable, Codable, Hashable {
  /// What lies behind transparent places.
  public enum Transparency: String, Sendable, Codable, CaseIterable {
    /// Pixels are blended onto white, with Pillow's `alpha_composite` rounding.
    case white
    /// Alpha is dropped: transparent places show the colour that happens to be stored there.
    case original
  }

  /// Whether the camera's note on how the image was held is obeyed.
  public enum Orientation: String, Sendable, Codable, CaseIterable {
    /// The image is turned as the EXIF orientation says.
    case apply
    /// The image stays as it is stored.
    case original
  }

  /// How 16-bit gray becomes 8 bits. (16-bit colour and 16-bit gray with alpha keep the high byte.)
  public enum SixteenBitGray: String, Sendable, Codable, CaseIterable {
    /// Values are divided by 257 and rounded, so that 65535 becomes 255.
    case scale
    /// Values are cut at 255: nearly all of a full-range image becomes white.
    case original
  }

  @Key(
    "What lies behind transparent places: white, or the colour that happens to be stored there "
      + "(original).")
  public var transparency = Transparency.white
  @Key("Whether the camera's note on how the image was held is obeyed (apply) or not (original).")
  public var orientation = Orientation.apply
  @Key("How 16-bit gray becomes 8 bits: divided by 257 (scale), or cut at 255 (original).")
  public var sixteenBitGray = SixteenBitGray.scale

  public init(
    transparency: Transparency = .white, orientation: Orientation = .apply,
    sixteenBitGray: SixteenBitGray = .scale
  ) {
    self.transparency = transparency
    self.orientation = orientation
    self.sixteenBitGray = sixteenBitGray
  }

  /// The choices of the original code.
  public static let original = ImageDecoding(
    transparency: .original, orientation: .original, sixteenBitGray: .original)
}
