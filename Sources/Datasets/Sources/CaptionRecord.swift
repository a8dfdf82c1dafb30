/// One image and what is said about it.
public struct CaptionRecord: Equatable, Sendable {
  /// Where the image lies, for messages.
  public var imagePath: String
  /// The path as the source has it: as listed, below the folder, or in the archive.
  public var listedPath: String
  /// All captions, at least one, in the order of the source.
  public var captions: [String]
  /// Images with the same `image_id` have the same number; an image without one has a number of
  /// its own.
  public var imageId: Int64
  /// The source's own words for which image this is (`image_id`), if it says.
  public var givenId: String?
}
