import Files

/// What is wrong with a record, and with which of its fields.
struct FieldProblem: Error {
  let field: String
  let text: String

  init(_ field: String, _ text: String) {
    self.field = field
    self.text = text
  }

  init(_ field: String, expected: String, found value: JSONValue?) {
    self.init(field, "expected \(expected), found \(value?.kind ?? "nothing")")
  }
}

extension JSONValue {
  /// The elements of a list, or else the value alone.
  var elements: [JSONValue] {
    if case .array(let list) = self { list } else { [self] }
  }
}

/// One entry of a list: an image's path, its captions and, if given, its id.
struct ListRecord {
  /// As `FileName` has it; nil where an image is known by its id alone.
  let path: String?
  var captions: [String]
  let imageId: String?
}

extension ListRecord {
  /// Reads `{"image": path, "caption": text or list, "image_id": text or integer}`.
  /// - Throws: `FieldProblem`.
  init(_ fields: JSONFields) throws {
    path = try fields.path(of: .image)
    guard let captions = try fields.captions() else {
      throw FieldProblem(
        "caption", "expected a text or a list of texts, found nothing; \(fields.names)")
    }
    self.captions = captions
    imageId = try fields.imageId()
  }

  func add(to builder: inout CaptionIndex.Builder) throws {
    guard let path else { throw FieldProblem("file_name", "expected a path, found nothing") }
    try builder.add(path: path, captions: captions, imageId: imageId)
  }
}

/// The members of a JSON object, or the fields of a table's row, that speak of images and captions.
struct JSONFields {
  private var values: [NameKey: JSONValue] = [:]
  private var repeated: Set<NameKey> = []

  init(_ members: [(name: String?, value: JSONValue)]) {
    for (name, value) in members {
      guard let key = name.map(NameKey.init) else { continue }
      if values.updateValue(value, forKey: key) != nil { repeated.insert(key) }
    }
  }

  /// - Throws: `FieldProblem` for a member that is there twice: neither may be meant.
  subscript(name: String) -> JSONValue? {
    get throws {
      if repeated.contains(NameKey(name)) { throw FieldProblem(name, "appears twice") }
      return values[NameKey(name)]
    }
  }

  /// Which fields there are, for messages.
  var names: String {
    let names = values.keys.sorted().map(\.text)
    if names.isEmpty { return "the record is empty" }
    return "the record has " + names.prefix(8).joined(separator: ", ")
      + (names.count > 8 ? ", …" : "")
  }

  /// The field of one of several names: one of the first `preferred`, or else of the others.
  /// - Throws: `FieldProblem` where two of them may be meant.
  private func field(
    _ names: [String], preferred: Int
  ) throws -> (name: String, value: JSONValue)? {
    for group in [names.prefix(preferred), names.dropFirst(preferred)] {
      let given = group.filter { values[NameKey($0)] != nil }
      guard given.count < 2 else {
        throw FieldProblem(given[1], "stands beside \"\(given[0])\"; give one of the two")
      }
      if let name = given.first, let value = try self[name] { return (name, value) }
    }
    return nil
  }

  /// The path of an image.
  func path(of column: RecordFile.Column) throws -> String {
    guard let (name, value) = try field(column.names, preferred: 1) else {
      throw FieldProblem(column.names[0], "expected a path, found nothing; \(names)")
    }
    return try Self.path(value, name)
  }

  static func path(_ value: JSONValue, _ name: String) throws -> String {
    guard let path = value.name else { throw FieldProblem(name, expected: "a path", found: value) }
    guard path.contains(where: { !$0.isWhitespace }), !path.utf8.contains(0) else {
      throw FieldProblem(name, "expected a path, found an unusable text")
    }
    return path
  }

  /// The texts of `caption` or `captions`, or else of one of other names; nil where there is none.
  func captions(
    orElse others: [String] = Array(RecordFile.Column.caption.names.dropFirst(2))
  ) throws -> [String]? {
    guard let (name, value) = try field(["caption", "captions"] + others, preferred: 2) else {
      return nil
    }
    guard !value.elements.isEmpty else { throw FieldProblem(name, "the list is empty") }
    return try value.elements.map { try Self.text($0, name) }
  }

  /// A text that is not blank, without what is no part of it.
  func text(_ name: String) throws -> String {
    guard let value = try self[name] else {
      throw FieldProblem(name, "expected a text, found nothing; \(names)")
    }
    return try Self.text(value, name)
  }

  static func text(_ value: JSONValue, _ name: String) throws -> String {
    guard case .string(let text) = value else {
      throw FieldProblem(name, expected: "a text", found: value)
    }
    let words = text.withoutMarks
    guard words.contains(where: { !$0.isWhitespace }) else {
      throw FieldProblem(name, "is empty; leave the record out")
    }
    return words
  }

  func imageId() throws -> String? {
    switch try self["image_id"] {
    case nil, .null: return nil
    case .string(let text): return text
    case .number(let text) where Int(text) != nil: return text
    case .some(let other):
      throw FieldProblem("image_id", "expected a text or a 64-bit integer, found \(other.words)")
    }
  }

  /// A text or a whole number of 64 bits, as text.
  func identifier(_ name: String) throws -> String {
    switch try self[name] {
    case .string(let text) where !text.isEmpty && text.utf8.count <= RecordFile.textLimit:
      return text
    case .number(let text) where Int64(text) != nil: return Int64(text).map(String.init) ?? text
    case let other:
      throw FieldProblem(
        name, "expected a text or a 64-bit integer, found \(other?.words ?? "nothing; \(names)")")
    }
  }

  static func bounded(_ text: String, _ name: String) throws -> String {
    guard text.utf8.count <= RecordFile.textLimit else {
      throw FieldProblem(
        name, "has \(text.utf8.count) bytes, more than the limit of \(RecordFile.textLimit)")
    }
    return text
  }
}

extension String {
  /// The text without what editors and tools leave in it and nobody says: byte order marks and zeros go;
  /// the ends of lines that only Unicode knows (U+0085, U+2028, U+2029) are spaces.
  var withoutMarks: String {
    // The first bytes of their UTF-8, of which most texts have none.
    guard utf8.contains(where: { $0 == 0 || $0 == 0xC2 || $0 == 0xE2 || $0 == 0xEF }) else {
      return self
    }
    return unicodeScalars.reduce(into: "") { result, scalar in
      switch scalar.value {
      case 0, 0xFEFF: break
      case 0x85, 0x2028, 0x2029: result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
  }
}
