/// A table of scores, for the terminal and for the sheet.
struct ScoreTable {
  enum Alignment { case left, right }

  struct Column {
    let name: String
    let alignment: Alignment

    init(_ name: String, alignment: Alignment = .right) {
      (self.name, self.alignment) = (name, alignment)
    }
  }

  struct Row {
    let label: String
    let cells: [String]
    /// How far the label is moved to the right.
    let depth: Int
  }

  let title: String
  /// Those after the labels'.
  let columns: [Column]
  private(set) var rows: [Row] = []

  init(title: String, columns: [Column]) {
    (self.title, self.columns) = (title, columns)
  }

  /// - Precondition: There are as many cells as columns.
  mutating func add(_ label: String, _ cells: String..., depth: Int = 0) {
    precondition(cells.count == columns.count, "\(cells.count) cells, \(columns.count) columns")
    rows.append(Row(label: label, cells: cells, depth: depth))
  }

  /// Columns that line up, two blanks between them, without a line break at the end.
  var text: String {
    let lines =
      [[title] + columns.map(\.name)]
      + rows.map { [String(repeating: "  ", count: $0.depth) + $0.label] + $0.cells }
    let alignments = [.left] + columns.map(\.alignment)
    let widths = alignments.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { line in
      let cells = line.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - line[column].count)
        return alignments[column] == .left ? line[column] + padding : padding + line[column]
      }
      let whole = cells.joined(separator: "  ")
      return String(whole.reversed().drop { $0 == " " }.reversed()).withoutControlCharacters
    }
    .joined(separator: "\n")
  }
}

extension String {
  /// Control and direction characters spelt out: what stands in a file must not steer the terminal.
  var withoutControlCharacters: String {
    var text = ""
    for scalar in unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator:
        text += "\\u{\(String(scalar.value, radix: 16))}"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
