import Files

/// The images of a list with their captions, whatever the list's layout.
///
/// COCO's is `{"images": [{"id", "file_name"}], "annotations": [{"image_id", "caption"}]}`, Karpathy's
/// `{"images": [{"filepath", "filename", "split", "cocoid", "sentences": [{"raw"}]}]}`; in others each
/// record is a `ListRecord`.
struct CaptionList {
  /// What the images are for, by which Karpathy's splits are chosen.
  enum Use: Sendable, Equatable {
    case training, validation, test

    /// Without any of these all of a file's images are taken.
    fileprivate var splits: Set<String> {
      switch self {
      case .training: ["train", "restval"]
      case .validation: ["val"]
      case .test: ["test"]
      }
    }
  }

  let file: RecordFile
  let use: Use

  /// - Throws: ``DatasetError``.
  init(_ path: String, for use: Use) throws {
    file = try RecordFile(path, columns: [.image, .caption])
    self.use = use
  }

  /// Hands over each image with captions; one may come several times where records do.
  /// - Parameter take: Throws `FieldProblem` where a record is no good.
  /// - Returns: What else there is.
  /// - Throws: ``DatasetError``.
  func read(_ take: (ListRecord) throws -> Void) throws -> [SourceFinding] {
    let images: [Image]
    switch file.layout {
    case .records, .table:
      try file.read { _, fields in try take(try ListRecord(fields)) }
      return []
    case .object(["images"]): images = try readSentences()
    case .object: images = try readAnnotations()
    }
    func isOfUse(_ image: Image) -> Bool { image.split.map(use.splits.contains) == true }
    let hasSplits = images.contains(where: isOfUse)
    var silent = SourceFinding(.withoutText)
    var others = SourceFinding(.otherSplits)
    for image in images {
      let record = image.record
      if hasSplits, !isOfUse(image) {
        others.add("\(record.path ?? "") (\(image.split ?? "no split"))")
        continue
      }
      // An image that nobody speaks of is looked for too: its list may be of another folder.
      try file.naming(image.place) { try take(record) }
      if record.captions.isEmpty { silent.add(record.path ?? record.imageId ?? "") }
    }
    return [silent, others].filter { $0.count > 0 }
  }

  private struct Image {
    let place: RecordFile.Place
    var record: ListRecord
    /// Karpathy's, where there is one.
    var split: String?
  }

  private func readAnnotations() throws -> [Image] {
    var images: [Image] = []
    var numbers: [NameKey: Int] = [:]
    // Captions may come before the images they belong to.
    var captions: [(place: RecordFile.Place, image: String, text: String)] = []
    try file.read(lists: ["images", "annotations"]) { place, fields in
      guard place.list == "images" else {
        captions.append((place, try fields.identifier("image_id"), try fields.text("caption")))
        return
      }
      let id = try fields.identifier("id")
      guard numbers.updateValue(images.count, forKey: NameKey(id)) == nil else {
        throw FieldProblem("id", "\(id) belongs to an earlier image as well")
      }
      let path = try fields["file_name"].map { try JSONFields.path($0, "file_name") }
      let record = ListRecord(path: path, captions: [], imageId: id)
      images.append(Image(place: place, record: record))
    }
    for caption in captions {
      try file.naming(caption.place) {
        guard let number = numbers[NameKey(caption.image)] else {
          throw FieldProblem("image_id", "there is no image \(caption.image)")
        }
        images[number].record.captions.append(caption.text)
      }
    }
    return images
  }

  private func readSentences() throws -> [Image] {
    var images: [Image] = []
    try file.read(lists: ["images"]) { place, fields in
      guard case .array(let sentences)? = try fields["sentences"] else {
        throw FieldProblem(
          "sentences", "expected a list, found none, and the list \"annotations\" is missing")
      }
      let captions = try sentences.map { sentence in
        guard case .object(let members) = sentence else {
          throw FieldProblem("sentences", expected: "objects with a \"raw\"", found: sentence)
        }
        return try JSONFields(members).text("raw")
      }
      let name = try fields.path(of: .init(what: "the image's path", names: ["filename"]))
      let folder = try fields["filepath"].map { try JSONFields.path($0, "filepath") }
      var split: String?
      if case .string(let text)? = try fields["split"] { split = text }
      let id = try ["cocoid", "imgid"].first { try fields[$0] != nil }.map(fields.identifier)
      let record = ListRecord(
        path: folder.map { FilePath.joined($0, name) } ?? name, captions: captions, imageId: id)
      images.append(Image(place: place, record: record, split: split))
    }
    return images
  }
}
