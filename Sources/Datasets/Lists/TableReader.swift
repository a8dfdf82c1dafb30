import Files
import Foundation

/// Reads lists in comma- or tab-separated text; the first row names the columns.
///
/// One column is the image's path, one its caption, one may be its `image_id`, others are ignored.
/// Rows with the same path are one image with several captions. A field of a column `captions` that
/// begins with `[` is a JSON list of texts; all other fields are taken as they are.
struct TableReader {
  static let imageColumns = ["image", "image_path", "filepath", "file", "path"]
  static let captionColumns = ["caption", "captions", "title", "text"]
  static let idColumns = ["image_id"]

  let file: String
  /// Nil where a comma or a tab is possible: the one that finds the columns in the first row.
  let separator: TableScanner.Separator?

  func read(into builder: inout CaptionIndex.Builder) throws {
    let bytes = try DatasetError.reading {
      try BoundedFile.contents(of: file, limit: ListReader.sizeLimit)
    }
    try bytes.withUnsafeBufferPointer { bytes in
      var scanner = TableScanner(bytes, separator: separator ?? .comma)
      do {
        if separator == nil, usesTabs(bytes) { scanner = TableScanner(bytes, separator: .tab) }
        guard let header = try scanner.row() else { return }
        let columns = try Columns(header, scanner, file: file)
        try read(&scanner, columns, into: &builder)
      } catch let failure as TableScanner.Failure {
        throw DatasetError.malformed(
          file: file, line: scanner.line(of: failure.offset), problem: failure.problem)
      }
    }
  }

  /// Whether the first row names its columns with tabs between them.
  private func usesTabs(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    func findsColumns(_ separator: TableScanner.Separator) -> Bool {
      var scanner = TableScanner(bytes, separator: separator)
      guard let header = try? scanner.row() else { return false }
      return (try? Columns(header, scanner, file: file)) != nil
    }
    return !findsColumns(.comma) && findsColumns(.tab)
  }

  private func read(
    _ scanner: inout TableScanner, _ columns: Columns, into builder: inout CaptionIndex.Builder
  ) throws {
    var record = 0
    while let row = try scanner.row() {
      record += 1
      do {
        try columns.record(row, scanner).add(to: &builder)
      } catch let problem as ListRecord.Problem {
        throw DatasetError.badRecord(
          file: file, record: record, line: scanner.line(of: row.offset), field: problem.field,
          problem: problem.text)
      }
    }
  }
}

/// Which columns hold what.
private struct Columns {
  private struct Column {
    var name: String
    var place: Int
  }

  private let count: Int
  private let image: Column
  private let caption: Column
  private let imageId: Column?

  init(_ header: TableScanner.Row, _ scanner: TableScanner, file: String) throws {
    let names = header.fields.map { field in
      (scanner.text(field) ?? "").trimmingCharacters(in: .whitespaces).lowercased()
    }
    func problem(_ text: String) -> DatasetError {
      let shown = names.prefix(20).map { $0.count > 40 ? $0.prefix(40) + "…" : $0[...] }
      let found = shown.joined(separator: ", ")
      return .malformed(
        file: file, line: scanner.line(of: header.offset),
        problem: "\(text); the first row names the columns, and here it is: \(found)")
    }
    func column(_ accepted: [String], of what: String) throws -> Column? {
      let found = names.indices.filter { accepted.contains(names[$0]) }
      guard found.count < 2 else {
        let both = found.map { names[$0] }.joined(separator: " and ")
        throw problem("both \(both) could be \(what); rename what it is not")
      }
      return found.first.map { Column(name: names[$0], place: $0) }
    }
    guard let image = try column(TableReader.imageColumns, of: "the image's path") else {
      throw problem("expected a column \(TableReader.imageColumns.joined(separator: " or "))")
    }
    guard let caption = try column(TableReader.captionColumns, of: "the caption") else {
      throw problem("expected a column \(TableReader.captionColumns.joined(separator: " or "))")
    }
    self.image = image
    self.caption = caption
    imageId = try column(TableReader.idColumns, of: "the image's id")
    count = names.count
  }

  func record(_ row: TableScanner.Row, _ scanner: TableScanner) throws -> ListRecord {
    guard row.fields.count == count else {
      throw ListRecord.Problem(
        field: row.fields.count > caption.place ? caption.name : image.name,
        text: "the row has \(row.fields.count) fields, expected \(count) as in the first row; put "
          + "a text that holds a \(scanner.separator.name) in quotation marks")
    }
    func text(_ column: Column) throws -> String {
      guard let text = scanner.text(row.fields[column.place]) else {
        throw ListRecord.Problem(field: column.name, text: "is not valid UTF-8")
      }
      return text
    }
    let id = try imageId.map(text) ?? ""
    return try ListRecord(
      path: FileName.text(scanner.bytes(row.fields[image.place])),
      captions: try captions(try text(caption)),
      imageId: id.isEmpty ? nil : id, field: image.name)
  }

  private func captions(_ text: String) throws -> [String] {
    guard caption.name == "captions", text.hasPrefix("[") else {
      return [try JSONFields.nonEmpty(text, caption.name)]
    }
    do {
      return try JSONFields([]).texts(try JSONScanner.document(Array(text.utf8)), caption.name)
    } catch let failure as JSONScanner.Failure {
      throw ListRecord.Problem(
        field: caption.name,
        text: "begins with [ and is no JSON list: \(failure.problem)")
    }
  }
}
