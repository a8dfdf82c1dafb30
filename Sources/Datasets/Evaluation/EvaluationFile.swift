import Files

/// Reads the JSON files of evaluation sets record by record: an object with lists of records, such
/// as COCO's `{"images": […], "annotations": […]}`, or one list of records.
struct EvaluationFile {
  /// The most bytes of a file.
  static let sizeLimit = 1 << 30
  /// The most bytes of a caption, a question or an answer.
  static let textLimit = 1 << 16

  enum Layout {
    /// An object with lists of records.
    case object
    /// One list of records.
    case list
  }

  /// Where a record stands, for messages. Numbers count from 1.
  struct Place {
    var list: String?
    var record: Int
    var line: Int
  }

  let file: String

  /// The layout that the first character announces.
  func layout() throws -> Layout {
    try scan { scanner, _ in
      switch scanner.peek() {
      case UInt8(ascii: "{"): return .object
      case UInt8(ascii: "["): return .list
      default: throw scanner.failure("expected \"{\" or \"[\"")
      }
    }
  }

  /// Hands over each record of the wanted lists, or of a file that is one list.
  /// - Parameter wanted: The names of an object's lists, each of which must be there; its other
  ///   members are read over.
  func read(
    lists wanted: [String], _ take: (Place, JSONFields) throws -> Void
  ) throws {
    try scan { scanner, lines in
      if scanner.peek() == UInt8(ascii: "[") {
        try readList(nil, &scanner, &lines, take)
      } else {
        try readObject(wanted, &scanner, &lines, take)
      }
      guard scanner.peek() == nil else { throw scanner.failure("something follows the records") }
    }
  }

  private func readObject(
    _ wanted: [String], _ scanner: inout JSONScanner, _ lines: inout LineCounter,
    _ take: (Place, JSONFields) throws -> Void
  ) throws {
    guard scanner.skip("{") else { throw scanner.failure("expected \"{\" or \"[\"") }
    var seen = Set<String>()
    if !scanner.skip("}") {
      repeat {
        guard scanner.peek() == UInt8(ascii: "\"") else {
          throw scanner.failure("expected the name of a field")
        }
        // A name that is no text is none that is wanted.
        var name: String?
        if case .string(let text) = try scanner.value() { name = text }
        guard scanner.skip(":") else {
          throw scanner.failure("expected \":\" after the name of a field")
        }
        guard let name, wanted.contains(name) else {
          try skipValue(&scanner)
          continue
        }
        guard seen.insert(name).inserted else {
          throw scanner.failure("the list \"\(name)\" appears twice")
        }
        try readList(name, &scanner, &lines, take)
      } while scanner.skip(",")
      guard scanner.skip("}") else {
        throw scanner.failure("expected \",\" or \"}\" after a field")
      }
    }
    if let missing = wanted.first(where: { !seen.contains($0) }) {
      throw scanner.failure("the list \"\(missing)\" is missing")
    }
  }

  /// Lists that are not wanted may be longer than one value may be.
  private func skipValue(_ scanner: inout JSONScanner) throws {
    guard scanner.skip("[") else {
      _ = try scanner.value()
      return
    }
    guard !scanner.skip("]") else { return }
    repeat { _ = try scanner.value() } while scanner.skip(",")
    guard scanner.skip("]") else { throw scanner.failure("expected \",\" or \"]\"") }
  }

  private func readList(
    _ name: String?, _ scanner: inout JSONScanner, _ lines: inout LineCounter,
    _ take: (Place, JSONFields) throws -> Void
  ) throws {
    guard scanner.skip("[") else {
      throw scanner.failure("expected a list of records" + (name.map { " under \"\($0)\"" } ?? ""))
    }
    guard !scanner.skip("]") else { return }
    var record = 0
    repeat {
      record += 1
      _ = scanner.peek()
      let place = Place(list: name, record: record, line: lines.line(of: scanner.offset, scanner))
      do {
        guard case .object(let members) = try scanner.value() else {
          throw ListRecord.Problem(field: "record", text: "expected an object")
        }
        try take(place, JSONFields(members))
      } catch let problem as ListRecord.Problem {
        throw error(at: place, problem)
      }
    } while scanner.skip(",")
    guard scanner.skip("]") else {
      throw scanner.failure("expected \",\" or \"]\" after record \(record)")
    }
  }

  /// An error that names the file, the record and the field, with the list it is in.
  func error(at place: Place, _ problem: ListRecord.Problem) -> DatasetError {
    .badRecord(
      file: file, record: place.record, line: place.line,
      field: (place.list.map { "\($0)." } ?? "") + problem.field, problem: problem.text)
  }

  private func scan<Result>(
    _ body: (inout JSONScanner, inout LineCounter) throws -> Result
  ) throws -> Result {
    let bytes = try DatasetError.reading {
      try BoundedFile.contents(of: file, limit: Self.sizeLimit)
    }
    return try bytes.withUnsafeBufferPointer { bytes in
      var scanner = JSONScanner(bytes)
      var lines = LineCounter()
      do {
        return try body(&scanner, &lines)
      } catch let failure as JSONScanner.Failure {
        throw DatasetError.malformed(
          file: file, line: scanner.line(of: failure.offset), problem: failure.problem)
      }
    }
  }
}

/// Counts lines once for all records.
struct LineCounter {
  private var line = 1
  private var offset = 0

  mutating func line(of end: Int, _ scanner: JSONScanner) -> Int {
    for byte in scanner.bytes[offset..<end] where byte == 0x0A { line += 1 }
    offset = end
    return line
  }
}

extension JSONFields {
  /// A text or a whole number of 64 bits, as text.
  func identifier(_ name: String) throws -> String {
    switch try self[name] {
    case .string(let text) where !text.isEmpty && text.utf8.count <= EvaluationFile.textLimit:
      return text
    case .number(let text) where Int64(text) != nil: return Int64(text).map(String.init) ?? text
    case let other:
      throw ListRecord.Problem(
        field: name, text: "expected a text or a 64-bit integer, found \(other?.kind ?? "nothing")")
    }
  }

  /// The path of an image, as `FileName` has it.
  func path(_ name: String) throws -> String {
    let value = try self[name]
    guard let path = value?.name else {
      throw ListRecord.Problem(
        field: name, text: "expected a path, found \(value?.kind ?? "nothing")")
    }
    guard path.contains(where: { !$0.isWhitespace }) else {
      throw ListRecord.Problem(field: name, text: "is empty; leave the record out")
    }
    return try Self.bounded(path, name)
  }

  /// A text that is not blank.
  func text(_ name: String) throws -> String {
    let value = try self[name]
    guard case .string(let text) = value else {
      throw ListRecord.Problem(
        field: name, text: "expected a text, found \(value?.kind ?? "nothing")")
    }
    guard text.contains(where: { !$0.isWhitespace }) else {
      throw ListRecord.Problem(field: name, text: "is empty; leave the record out")
    }
    return try Self.bounded(text, name)
  }

  static func bounded(_ text: String, _ name: String) throws -> String {
    guard text.utf8.count <= EvaluationFile.textLimit else {
      throw ListRecord.Problem(
        field: name,
        text: "has \(text.utf8.count) bytes, more than the limit of \(EvaluationFile.textLimit)")
    }
    return text
  }
}
