import Files
import Foundation

/// Reads the records of a list one after another, whatever its layout: a JSON list, JSON lines, the lists
/// within one JSON object, such as COCO's, or comma- or tab-separated text whose first row names the fields.
struct RecordFile {
  /// The most bytes of a list.
  static let sizeLimit = 4 << 30
  /// The most bytes of a caption, a question or an answer that is held against generated ones.
  static let textLimit = 1 << 16

  enum Layout: Equatable {
    /// Records one after another, or in one list.
    case records
    /// An object with lists of records, whose names these are.
    case object(Set<String>)
    case table(TableScanner.Separator)
  }

  /// Where a record stands, for messages.
  struct Place {
    var list: String?
    /// Counted from 1.
    var record: Int
    /// The byte that it begins with.
    var offset: Int
  }

  typealias Take = (Place, JSONFields) throws -> Void

  /// A field that records need: what it is, and the names that it may have.
  struct Column {
    let what: String
    let names: [String]

    static let image = Column(
      what: "the image's path",
      names: [
        "image", "image_path", "filepath", "file", "path", "file_name", "filename", "image_name",
      ])
    static let caption = Column(
      what: "the caption", names: ["caption", "captions", "title", "text", "comment"])
    static let question = Column(what: "the question", names: ["question"])
  }

  let file: String
  let layout: Layout
  private let bytes: [UInt8]
  private let columns: [Column]

  /// Whether the file is an object with lists.
  var isObject: Bool {
    if case .object = layout { return true }
    return false
  }

  /// - Parameter columns: What the first row of a table has to name.
  /// - Throws: ``DatasetError``, also for files of other kinds, by their names.
  init(_ file: String, columns: [Column]) throws {
    self.file = file
    self.columns = columns
    bytes = try DatasetError.reading {
      try BoundedFile.contents(of: file, limit: Self.sizeLimit)
    }
    // An empty list holds no records, which is for its user to say.
    if let kind = FileKind(bytes), !bytes.isEmpty {
      throw DatasetError.malformed(file: file, line: 1, problem: "is \(kind)")
    }
    layout = try Self.scanning(bytes, file) { try Self.layout(&$0, of: file, columns) }
  }

  /// The lists of an object that are known, and what their records are.
  private static let lists: Set<String> = ["images", "annotations", "questions"]

  private static func layout(
    _ scanner: inout JSONScanner, of file: String, _ columns: [Column]
  ) throws -> Layout {
    let ending = FilePath.ending(of: file)
    let isTable = ["csv", "tsv"].contains(ending)
    switch scanner.peek() {
    case nil: return isTable ? .table(.comma) : .records
    case UInt8(ascii: "[") where !isTable: return .records
    case UInt8(ascii: "{") where !isTable:
      // What is wrong with a record is found when it is read.
      guard let names = try? loneObject(&scanner),
        !names.contains(where: (columns.first?.names ?? []).contains)
      else { return .records }
      return .object(names.intersection(lists))
    default:
      if ending == "tsv" { return .table(.tab) }
      func names(_ separator: TableScanner.Separator) -> Bool {
        var table = TableScanner(scanner.bytes, separator: separator)
        guard let header = try? table.row() else { return false }
        return (try? TableRows(header, table, columns, file)) != nil
      }
      if let separator = TableScanner.Separator.allCases.first(where: names) {
        return .table(separator)
      }
      if ending == "csv" { return .table(.comma) }
      throw scanner.failure(
        "the file \(FileKind.words(scanner.bytes)); expected JSON, or comma- or tab-separated text "
          + "whose first row names the columns, as in \(columns.map { $0.names[0] }.joined(separator: ","))"
      )
    }
  }

  /// The names of the members of an object that is all of the file; nil where more follows.
  private static func loneObject(_ scanner: inout JSONScanner) throws -> Set<String>? {
    var names: Set<String> = []
    try eachMember(&scanner) { name, scanner in
      if let name { names.insert(name) }
      try skipValue(&scanner)
    }
    return scanner.peek() == nil ? names : nil
  }

  /// Hands over each record of the wanted lists of an object, or of a file that is one list.
  /// - Parameter wanted: The names of an object's lists, each of which must be there; its other members
  ///   are read over.
  /// - Throws: ``DatasetError``, which names the record where `take` throws a `FieldProblem`.
  func read(lists wanted: [String] = [], _ take: Take) throws {
    if case .table(let separator) = layout { return try readTable(separator, take) }
    try Self.scanning(bytes, file) { scanner in
      if isObject {
        try Self.readLists(wanted, &scanner) { try readList($0, &$1, take) }
      } else if scanner.peek() == UInt8(ascii: "[") {
        try readList(nil, &scanner, take)
      } else {
        var record = 0
        while scanner.peek() != nil {
          record += 1
          try readRecord(record, of: nil, &scanner, take)
        }
      }
      guard scanner.peek() == nil else { throw scanner.failure("something follows the list") }
    }
  }

  private func readRecord(
    _ number: Int, of list: String?, _ scanner: inout JSONScanner, _ take: Take
  ) throws {
    _ = scanner.peek()
    let place = Place(list: list, record: number, offset: scanner.offset)
    try naming(place) {
      let value = try scanner.value()
      guard case .object(let members) = value else {
        throw FieldProblem(columns.first?.names[0] ?? "record", expected: "an object", found: value)
      }
      try take(place, JSONFields(members))
    }
  }

  private func readList(_ name: String?, _ scanner: inout JSONScanner, _ take: Take) throws {
    guard scanner.skip("[") else {
      throw scanner.failure(
        "expected a list of records" + (name.map { " under \"\($0)\"" } ?? ""))
    }
    guard !scanner.skip("]") else { return }
    var record = 0
    repeat {
      record += 1
      try readRecord(record, of: name, &scanner, take)
    } while scanner.skip(",")
    guard scanner.skip("]") else {
      throw scanner.failure("expected \",\" or \"]\" after record \(record)")
    }
  }

  private static func readLists(
    _ wanted: [String], _ scanner: inout JSONScanner,
    _ readList: (String, inout JSONScanner) throws -> Void
  ) throws {
    var seen = Set<String>()
    var others: [String] = []
    try eachMember(&scanner) { name, scanner in
      guard let name, wanted.contains(name) else {
        others.append(name ?? "…")
        return try skipValue(&scanner)
      }
      guard seen.insert(name).inserted else {
        throw scanner.failure("the list \"\(name)\" appears twice")
      }
      try readList(name, &scanner)
    }
    if let missing = wanted.first(where: { !seen.contains($0) }) {
      let found = (seen.sorted() + others).prefix(8).joined(separator: ", ")
      throw scanner.failure("the list \"\(missing)\" is missing; the object has \(found)")
    }
  }

  /// Goes through an object whose members may be longer than one value may be.
  private static func eachMember(
    _ scanner: inout JSONScanner, _ body: (String?, inout JSONScanner) throws -> Void
  ) throws {
    guard scanner.skip("{") else { throw scanner.failure("expected \"{\"") }
    if scanner.skip("}") { return }
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
      try body(name, &scanner)
    } while scanner.skip(",")
    guard scanner.skip("}") else {
      throw scanner.failure("expected \",\" or \"}\" after a field")
    }
  }

  private static func skipValue(_ scanner: inout JSONScanner) throws {
    guard scanner.skip("[") else {
      _ = try scanner.value()
      return
    }
    guard !scanner.skip("]") else { return }
    repeat { _ = try scanner.value() } while scanner.skip(",")
    guard scanner.skip("]") else { throw scanner.failure("expected \",\" or \"]\"") }
  }

  private func readTable(_ separator: TableScanner.Separator, _ take: Take) throws {
    try bytes.withUnsafeBufferPointer { bytes in
      var scanner = TableScanner(bytes, separator: separator)
      do {
        guard let header = try scanner.row() else { return }
        let rows = try TableRows(header, scanner, columns, file)
        var record = 0
        while let row = try scanner.row() {
          record += 1
          let place = Place(record: record, offset: row.offset)
          try naming(place) { try take(place, try rows.fields(row, scanner)) }
        }
      } catch let failure as TableScanner.Failure {
        throw DatasetError.malformed(
          file: file, line: scanner.line(of: failure.offset), problem: failure.problem)
      }
    }
  }

  /// Calls `body`, whose problem becomes an error that names the file, the record and the field, with the
  /// list it is in.
  func naming(_ place: Place, _ body: () throws -> Void) throws {
    do {
      try body()
    } catch let problem as FieldProblem {
      throw DatasetError.badRecord(
        file: file, record: place.record, line: line(of: place.offset),
        field: (place.list.map { "\($0)." } ?? "") + problem.field, problem: problem.text)
    }
  }

  /// The line of a byte, counted from 1.
  private func line(of offset: Int) -> Int {
    bytes.withUnsafeBufferPointer { bytes in
      guard case .table(let separator) = layout else { return JSONScanner(bytes).line(of: offset) }
      return TableScanner(bytes, separator: separator).line(of: offset)
    }
  }

  private static func scanning<Result>(
    _ bytes: [UInt8], _ file: String, _ body: (inout JSONScanner) throws -> Result
  ) throws -> Result {
    try bytes.withUnsafeBufferPointer { bytes in
      var scanner = JSONScanner(bytes)
      do {
        return try body(&scanner)
      } catch let failure as JSONScanner.Failure {
        throw DatasetError.malformed(
          file: file, line: scanner.line(of: failure.offset), problem: failure.problem)
      }
    }
  }
}
