import Files
import Foundation

extension DatasetReport: CustomStringConvertible {
  /// A table: what was counted, and the numbers in columns that line up.
  public var description: String {
    var lines = [row("images", images), row("pairs", pairs)]
    lines.append(row("duplicate captions", duplicateCaptions))
    lines.append(row("unreadable images", badImages))
    lines += findings.map { row($0.kind.rawValue, $0.count) }
    for format in ImageFormat.allCases {
      if let count = formats[format] { lines.append(row("\(format.rawValue) images", count)) }
    }
    let header = ["", "min", "median", "mean", "max"]
    lines += ["", Self.line(header)]
    let summaries: [(String, Summary?)] = [
      ("captions per image", captionsPerImage), ("words per caption", captionWords),
      ("tokens per caption", captionTokens), ("image width", imageWidths),
      ("image height", imageHeights),
    ]
    for case (let name, let summary?) in summaries {
      lines.append(
        Self.line([
          name, "\(summary.minimum)", "\(summary.median)", String(format: "%.1f", summary.mean),
          "\(summary.maximum)",
        ]))
    }
    lines += Self.examples("unreadable images", firstBadImages.map(\.description), of: badImages)
    for finding in findings {
      lines += Self.examples(finding.kind.rawValue, finding.examples, of: finding.count)
    }
    return FileName.displayed(lines.joined(separator: "\n"))
  }

  /// The first few of something, below its name; nothing where there are none.
  private static func examples(_ name: String, _ examples: [String], of count: Int) -> [String] {
    guard !examples.isEmpty else { return [] }
    let rest = count > examples.count ? ["  and \(count - examples.count) more"] : []
    return ["", name.prefix(1).uppercased() + name.dropFirst() + ":"] + examples.map { "  \($0)" }
      + rest
  }

  private func row(_ name: String, _ count: Int) -> String { Self.line([name, "\(count)"]) }

  /// The first cell to the left, the others to the right of their columns.
  private static func line(_ cells: [String]) -> String {
    cells.enumerated().map { column, cell in
      let padding = String(repeating: " ", count: max(0, (column == 0 ? 20 : 9) - cell.count))
      return column == 0 ? cell + padding : padding + cell
    }
    .joined()
  }
}
