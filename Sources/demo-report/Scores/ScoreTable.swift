import Reporting

/// A table of scores, for the terminal and for the sheet.
struct ScoreTable {
  struct Column {
    let name: String
    let alignment: TextTable.Alignment

    init(_ name: String, alignment: TextTable.Alignment = .right) {
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

  /// - Precondition: There are as many cells as columns.
  mutating func add(_ label: String, _ cells: String..., depth: Int = 0) {
    precondition(cells.count == columns.count, "\(cells.count) cells, \(columns.count) columns")
    rows.append(Row(label: label, cells: cells, depth: depth))
  }

  /// The table for a terminal.
  var text: String {
    var table = TextTable(
      [.left] + columns.map(\.alignment), header: [title] + columns.map(\.name))
    for row in rows {
      table.add([String(repeating: "  ", count: row.depth) + row.label] + row.cells)
    }
    return table.description
  }
}
