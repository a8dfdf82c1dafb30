import Files
import Foundation

/// The rows of comma- or tab-separated text as records; the first row names their fields.
///
/// A field of a column `captions` or `answers` that begins with `[` is a JSON list of texts; all other
/// fields are texts as they are, and empty ones are not there.
struct TableRows {
  private let names: [String]

  /// - Parameter columns: What the first row has to name, each once.
  /// - Throws: ``DatasetError``.
  init(
    _ header: TableScanner.Row, _ scanner: TableScanner, _ columns: [RecordFile.Column],
    _ file: String
  ) throws {
    let names = header.fields.map { field in
      (String(validating: scanner.bytes(field), as: UTF8.self) ?? "")
        .trimmingCharacters(in: .whitespaces).lowercased()
    }
    self.names = names
    func problem(_ text: String) -> DatasetError {
      let shown = names.prefix(20).map { $0.count > 40 ? $0.prefix(40) + "…" : $0[...] }
      let found = shown.joined(separator: ", ")
      return .malformed(
        file: file, line: scanner.line(of: header.offset),
        problem: "\(text); the first row names the columns, and here it is: \(found)")
    }
    for column in columns {
      let found = names.filter(column.names.contains)
      guard found.count < 2 else {
        let both = found.joined(separator: " and ")
        throw problem("both \(both) could be \(column.what); rename what it is not")
      }
      guard found.count == 1 else {
        throw problem("expected a column \(column.names.joined(separator: " or "))")
      }
    }
  }

  /// - Throws: `FieldProblem`.
  func fields(_ row: TableScanner.Row, _ scanner: TableScanner) throws -> JSONFields {
    guard row.fields.count == names.count else {
      throw FieldProblem(
        names[min(row.fields.count, names.count) - 1],
        "the row has \(row.fields.count) fields, expected \(names.count) as in the first row; "
          + "put a text that holds a \(scanner.separator.name) in quotation marks")
    }
    return JSONFields(
      try zip(names, row.fields).compactMap { name, field in
        let bytes = scanner.bytes(field)
        if bytes.isEmpty { return nil }
        guard var text = String(validating: bytes, as: UTF8.self) else {
          return (name, .bytes(bytes))
        }
        // Bars are written with a space behind them, as in Flickr30k's results.csv.
        if scanner.separator == .bar { text = text.trimmingCharacters(in: .whitespaces) }
        let isList = ["captions", "answers"].contains(name) && text.hasPrefix("[")
        return (name, isList ? try list(text, name) : .string(text))
      })
  }

  private func list(_ text: String, _ name: String) throws -> JSONValue {
    do {
      return try JSONScanner.document(Array(text.utf8))
    } catch let failure as JSONScanner.Failure {
      throw FieldProblem(name, "begins with [ and is no JSON list: \(failure.problem)")
    }
  }
}
