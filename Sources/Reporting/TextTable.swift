import Files

/// Rows of cells printed in columns that line up.
package struct TextTable: CustomStringConvertible {
  package enum Alignment { case left, right }

  private let alignments: [Alignment]
  private var rows: [[String]] = []

  /// - Parameters:
  ///   - alignments: one for each column.
  ///   - header: the first row, where the table has one.
  package init(_ alignments: Alignment..., header: [String]? = nil) {
    self.init(alignments, header: header)
  }

  package init(_ alignments: [Alignment], header: [String]? = nil) {
    self.alignments = alignments
    if let header { add(header) }
  }

  /// Adds a row.
  /// - Precondition: There are as many cells as columns.
  package mutating func add(_ cells: [String]) {
    precondition(
      cells.count == alignments.count, "\(cells.count) cells in \(alignments.count) columns")
    rows.append(cells.map(\.withoutControlCharacters))
  }

  /// Adds a row.
  package mutating func add(_ cells: String...) { add(cells) }

  /// The rows, two blanks between columns, without a line break at the end.
  package var description: String {
    let widths = alignments.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return alignments[column] == .left ? row[column] + padding : padding + row[column]
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
    .joined(separator: "\n")
  }

  /// The same, every line moved to the right.
  package func indented(by count: Int = 2) -> String {
    let margin = String(repeating: " ", count: count)
    return description.split(separator: "\n").map { margin + $0 }.joined(separator: "\n")
  }
}

extension String {
  /// The text with control and direction characters spelt out, and the bytes of names that are not
  /// UTF-8: what stands in a file must not steer the terminal.
  package var withoutControlCharacters: String { sparing([]) }

  /// The same for text of several lines.
  package var withoutControlCharactersInLines: String { sparing(["\n", "\t"]) }

  private func sparing(_ spared: Set<Unicode.Scalar>) -> String {
    var text = ""
    for scalar in FileName.displayed(self).unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator:
        if spared.contains(scalar) {
          text.unicodeScalars.append(scalar)
        } else {
          text += "\\u{\(String(scalar.value, radix: 16))}"
        }
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
