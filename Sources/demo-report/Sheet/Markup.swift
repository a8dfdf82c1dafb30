import Reporting

/// HTML. Texts that are put into it are escaped, so that what stands in a file is only ever text.
struct Markup: ExpressibleByStringInterpolation {
  private(set) var text: String

  init(stringLiteral value: String) { text = value }

  init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

  struct Interpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity * 2)
    }

    mutating func appendLiteral(_ literal: String) { text += literal }

    /// A text, fit for elements and for attributes in double quotes.
    mutating func appendInterpolation(_ value: String) { text += value.escapedForMarkup }

    mutating func appendInterpolation(_ value: Int) { text += String(value) }
    mutating func appendInterpolation(_ markup: Markup) { text += markup.text }
    mutating func appendInterpolation(_ markup: Markup?) { text += markup?.text ?? "" }

    mutating func appendInterpolation(_ parts: [Markup]) {
      for part in parts { text += part.text }
    }
  }
}

extension ScoreTable {
  var markup: Markup {
    func side(_ column: Int) -> Markup { columns[column].alignment == .left ? " class=\"l\"" : "" }
    let names = columns.indices.map {
      "<th scope=\"col\"\(side($0))>\(columns[$0].name)</th>" as Markup
    }
    let lines = rows.map { row -> Markup in
      let cells = row.cells.indices.map { "<td\(side($0))>\(row.cells[$0])</td>" as Markup }
      let depth: Markup = row.depth > 0 ? " class=\"sub\"" : ""
      return "<tr\(depth)><th scope=\"row\">\(row.label)</th>\(cells)</tr>\n"
    }
    return """
      <div class="table"><table>
      <thead><tr><th scope="col">\(title)</th>\(names)</tr></thead>
      <tbody>
      \(lines)</tbody></table></div>

      """
  }
}
