import Files
import Foundation

/// Images with what people say of them, to judge captions by: COCO's layout or a list.
///
/// COCO's is `{"images": [{"id", "file_name"}], "annotations": [{"image_id", "caption"}]}`; where
/// `file_name` is missing, as in the evaluation files of BLIP, the image is found by its number.
/// A list is `[{"image": path, "caption": text or texts}]`, with an `image_id` or without. Records of
/// a list that name the same image are one item with the captions of all.
public struct CaptionEvaluationSet: Sendable {
  public struct Item: Equatable, Sendable {
    /// Where the image lies, as `FileName` has it.
    public var image: URL
    /// At least one.
    public var references: [String]
    /// The id that the file gives the image; else its path as listed, as `FileName` has it.
    public var id: String

    public init(image: URL, references: [String], id: String) {
      self.image = image
      self.references = references
      self.id = id
    }
  }

  /// In the order of the file.
  public let items: [Item]
  /// The ids of COCO's images that have no caption. They are no items.
  public let imagesWithoutCaptions: [String]

  /// - Parameters:
  ///   - file: JSON of either layout; the first character tells which.
  ///   - imageFolder: Where the images are; by default the file's own folder. A listed path that
  ///     is not found there is looked for by its last part.
  /// - Throws: ``DatasetError``, also for an image that is not there, an annotation of an unknown
  ///   image, an id that two images have, an empty caption, and a file without items.
  public init(file: URL, imageFolder: URL? = nil) throws {
    var images = EvaluationImages(
      folder: (imageFolder ?? file.deletingLastPathComponent()).path)
    let reader = EvaluationFile(file: file.path)
    switch try reader.layout() {
    case .object: (items, imagesWithoutCaptions) = try Self.cocoItems(reader, &images)
    case .list: (items, imagesWithoutCaptions) = (try Self.listedItems(reader, &images), [])
    }
    guard !items.isEmpty else { throw DatasetError.noSamples(file: file.path) }
  }

  private static func cocoItems(
    _ reader: EvaluationFile, _ images: inout EvaluationImages
  ) throws -> (items: [Item], withoutCaptions: [String]) {
    var items: [Item] = []
    var numbers: [NameKey: Int] = [:]
    // Captions may come before the images they belong to.
    var captions: [(place: EvaluationFile.Place, image: String, text: String)] = []
    try reader.read(lists: ["images", "annotations"]) { place, fields in
      guard place.list == "images" else {
        captions.append((place, try fields.identifier("image_id"), try fields.text("caption")))
        return
      }
      let id = try fields.identifier("id")
      guard numbers.updateValue(items.count, forKey: NameKey(id)) == nil else {
        throw ListRecord.Problem(field: "id", text: "\(id) belongs to an earlier image as well")
      }
      let image =
        try fields["file_name"] == nil
        ? try images.image(withId: id, field: "id")
        : try images.image(atPath: try fields.path("file_name"), field: "file_name")
      items.append(Item(image: image, references: [], id: id))
    }
    for caption in captions {
      guard let number = numbers[NameKey(caption.image)] else {
        throw reader.error(
          at: caption.place,
          ListRecord.Problem(field: "image_id", text: "there is no image \(caption.image)"))
      }
      items[number].references.append(caption.text)
    }
    return (
      items.filter { !$0.references.isEmpty },
      items.filter { $0.references.isEmpty }.map(\.id)
    )
  }

  private static func listedItems(
    _ reader: EvaluationFile, _ images: inout EvaluationImages
  ) throws -> [Item] {
    var items: [Item] = []
    var numbers: [NameKey: Int] = [:]
    var pathOfId: [NameKey: NameKey] = [:]
    try reader.read(lists: []) { _, fields in
      let path = try fields.path("image")
      guard let captions = try fields.captions() else {
        throw ListRecord.Problem(field: "caption", text: "expected a text or texts, found nothing")
      }
      let given = try fields["image_id"].map { _ in try fields.identifier("image_id") }
      let id = given ?? path
      if let earlier = pathOfId.updateValue(NameKey(path), forKey: NameKey(id)),
        earlier != NameKey(path)
      {
        throw ListRecord.Problem(
          field: "image_id", text: "\(id) belongs to \(earlier.text) as well")
      }
      let references = try captions.map { try JSONFields.bounded($0, "caption") }
      if let number = numbers[NameKey(path)] {
        guard NameKey(items[number].id) == NameKey(id) else {
          throw ListRecord.Problem(
            field: "image_id",
            text: "is \(id), but an earlier record of \(path) has \(items[number].id)")
        }
        items[number].references += references
      } else {
        numbers[NameKey(path)] = items.count
        items.append(
          Item(
            image: try images.image(atPath: path, field: "image"), references: references, id: id))
      }
    }
    return items
  }
}
