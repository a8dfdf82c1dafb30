import Files
import Foundation

/// Images with what people say of them, to judge captions by, from any list that `CaptionList` reads.
///
/// Where COCO's `file_name` is missing, as in the evaluation files of BLIP, the image is found by its
/// number. Records that name the same image are one item with the captions of all.
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
  /// What is left out, such as images of Karpathy's other splits.
  public let findings: [SourceFinding]
  /// The ids of COCO's images that have no caption. They are no items.
  public let imagesWithoutCaptions: [String]

  /// - Parameters:
  ///   - file: The list.
  ///   - imageFolder: Where the images are; by default the file's own folder. A listed path that
  ///     is not found there is looked for by its last part.
  /// - Throws: ``DatasetError``, also for an image that is not there, an annotation of an unknown
  ///   image, an id that two images have, an empty caption, and a file without items.
  public init(file: URL, imageFolder: URL? = nil) throws {
    var images = EvaluationImages(
      folder: (imageFolder ?? file.deletingLastPathComponent()).path)
    var items: [Item] = []
    var numbers: [NameKey: Int] = [:]
    var pathOfId: [NameKey: NameKey] = [:]
    var silent: [String] = []
    findings = try CaptionList(file.path, for: .test).read { record in
      guard let id = record.imageId ?? record.path else { return }
      let image =
        try record.path.map {
          try images.image(atPath: try JSONFields.bounded($0, "image"), field: "image")
        } ?? images.image(withId: id, field: "id")
      let path = NameKey(record.path ?? id)
      if let earlier = pathOfId.updateValue(path, forKey: NameKey(id)), earlier != path {
        throw FieldProblem("image_id", "\(id) belongs to \(earlier.text) as well")
      }
      let references = try record.captions.map { try JSONFields.bounded($0, "caption") }
      if references.isEmpty {
        silent.append(id)
      } else if let number = numbers[path] {
        guard NameKey(items[number].id) == NameKey(id) else {
          throw FieldProblem(
            "image_id", "is \(id), but an earlier record of \(path.text) has \(items[number].id)")
        }
        items[number].references += references
      } else {
        numbers[path] = items.count
        items.append(Item(image: image, references: references, id: id))
      }
    }
    guard !items.isEmpty else { throw DatasetError.noSamples(file: file.path, findings) }
    self.items = items
    imagesWithoutCaptions = silent
  }
}
