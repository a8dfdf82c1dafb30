import Files

/// One entry of a list: an image's path, its captions and, if given, its id.
struct ListRecord {
  /// What is wrong with an entry, and with which of its fields.
  struct Problem: Error {
    var field: String
    var text: String
  }

  let path: String
  let captions: [String]
  let imageId: String?

  /// - Parameters:
  ///   - path: As `FileName` has it.
  ///   - field: What a problem with the path is reported under.
  init(path: String, captions: [String], imageId: String?, field: String = "image") throws {
    guard !path.isEmpty && !path.utf8.contains(0) else {
      throw Problem(field: field, text: "expected a path, found an unusable text")
    }
    self.path = path
    self.captions = captions
    self.imageId = imageId
  }

  /// Reads `{"image": path, "caption": text or list, "image_id": text or integer}`.
  init(_ value: JSONValue) throws {
    guard case .object(let members) = value else {
      throw Problem(field: "image", text: "expected an object, found \(value.kind)")
    }
    let fields = JSONFields(members)
    let image = try fields["image"]
    guard let path = image?.name else {
      throw Problem(field: "image", text: "expected a path, found \(image?.kind ?? "nothing")")
    }
    guard let captions = try fields.captions() else {
      throw Problem(field: "caption", text: "expected a text or a list of texts, found nothing")
    }
    try self.init(path: path, captions: captions, imageId: try fields.imageId())
  }

  func add(to builder: inout CaptionIndex.Builder) throws {
    if let earlier = try builder.add(path: path, captions: captions, imageId: imageId) {
      throw Problem(
        field: "image_id",
        text: "is \(imageId ?? "missing"), but an earlier record of \(path) has \(earlier)")
    }
  }
}

/// The members of a JSON object that speak of captions.
struct JSONFields {
  private var values: [NameKey: JSONValue] = [:]
  private var repeated: Set<NameKey> = []

  init(_ members: [(name: String?, value: JSONValue)]) {
    for (name, value) in members {
      guard let key = name.map(NameKey.init) else { continue }
      if values.updateValue(value, forKey: key) != nil { repeated.insert(key) }
    }
  }

  /// - Throws: `ListRecord.Problem` for a member that is there twice: neither may be meant.
  subscript(name: String) -> JSONValue? {
    get throws {
      if repeated.contains(NameKey(name)) {
        throw ListRecord.Problem(field: name, text: "appears twice")
      }
      return values[NameKey(name)]
    }
  }

  /// The texts of `caption` or `captions`; nil where there is neither.
  func captions() throws -> [String]? {
    let given = ["caption", "captions"].filter { values[NameKey($0)] != nil }
    guard given.count < 2 else {
      throw ListRecord.Problem(
        field: "captions", text: "stands beside \"caption\"; give one of the two")
    }
    return try given.first.flatMap { name in try self[name].map { try texts($0, name) } }
  }

  /// One text or a list of texts.
  func texts(_ value: JSONValue, _ name: String) throws -> [String] {
    let elements: [JSONValue]
    if case .array(let list) = value { elements = list } else { elements = [value] }
    guard !elements.isEmpty else {
      throw ListRecord.Problem(field: name, text: "the list is empty")
    }
    return try elements.map { element in
      guard case .string(let text) = element else {
        throw ListRecord.Problem(field: name, text: "expected a text, found \(element.kind)")
      }
      return try Self.nonEmpty(text, name)
    }
  }

  static func nonEmpty(_ text: String, _ name: String) throws -> String {
    guard text.contains(where: { !$0.isWhitespace }) else {
      throw ListRecord.Problem(
        field: name, text: "a caption is empty; leave the record out")
    }
    return text
  }

  func imageId() throws -> String? {
    switch try self["image_id"] {
    case nil, .null: return nil
    case .string(let text): return text
    case .number(let text) where Int(text) != nil: return text
    case .some(let other):
      throw ListRecord.Problem(
        field: "image_id", text: "expected a text or a 64-bit integer, found \(other.kind)")
    }
  }
}
