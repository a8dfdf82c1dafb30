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
    switch file.layout {
    case .object(let lists):
      return lists == ["images"] ? try readSentences(take) : try readAnnotations(take)
    case .records, .table:
      try file.read { _, fields in try take(try ListRecord(fields)) }
      return []
    }
  }

  private func readAnnotations(_ take: (ListRecord) throws -> Void) throws -> [SourceFinding] {
    var images: [(place: RecordFile.Place, record: ListRecord)] = []
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
      images.append((place, ListRecord(path: path, captions: [], imageId: id)))
    }
    for caption in captions {
      try file.naming(caption.place) {
        guard let number = numbers[NameKey(caption.image)] else {
          throw FieldProblem("image_id", "there is no image \(caption.image)")
        }
        images[number].record.captions.append(caption.text)
      }
    }
    var silent = SourceFinding(.withoutText)
    for (place, record) in images {
      // An image that nobody speaks of is looked for too: its list may be of another folder.
      try file.naming(place) { try take(record) }
      if record.captions.isEmpty { silent.add(record.path ?? record.imageId ?? "") }
    }
    return [silent].filter { $0.count > 0 }
  }

  private func readSentences(_ take: (ListRecord) throws -> Void) throws -> [SourceFinding] {
    var images: [(place: RecordFile.Place, split: String?, record: ListRecord)] = []
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
      images.append(
        (
          place, split,
          ListRecord(
            path: folder.map { FilePath.joined($0, name) } ?? name, captions: captions, imageId: id)
        ))
    }
    let isChosen = images.contains { $0.split.map(use.splits.contains) == true }
    var silent = SourceFinding(.withoutText)
    var others = SourceFinding(.otherSplits)
    for (place, split, record) in images {
      if isChosen, split.map(use.splits.contains) != true {
        others.add("\(record.path ?? "") (\(split ?? "no split"))")
        continue
      }
      try file.naming(place) { try take(record) }
      if record.captions.isEmpty { silent.add(record.path ?? "") }
    }
    return [silent, others].filter { $0.count > 0 }
  }
}
