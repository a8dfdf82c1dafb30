/// One image and what is said about it.
public struct CaptionRecord: Equatable, Sendable {
  /// Where the image lies: the path of the list, resolved against the folder of images.
  public var imagePath: String
  /// The path as the list has it; for folders, the path below the folder.
  public var listedPath: String
  /// All captions, at least one, in the order of the list.
  public var captions: [String]
  /// A dense number, from 0 on. Images with the same `image_id` in the list have the same number;
  /// images without one are numbered by their path.
  public var imageId: Int32
}
