import Foundation

/// Panels, title and legend as an SVG file that needs nothing beside itself.
struct PlotDrawing {
  var title: String?
  /// The names of the groups, in the order of their colours.
  var labels: [String]
  var panels: [PlotPanel]
  /// What a reader must know of how the lines were made.
  var note: String?

  private static let width = 900.0
  private static let margin = 22.0
  private static let gap = 26.0
  private static let legendSize = 12.0

  var svg: String {
    var body: [String] = []
    var top = Self.margin
    if let title {
      let shown = SVGText.fitted(title, size: 18, width: Self.width - 2 * Self.margin)
      body.append(PlotPanel.text(shown, x: Self.margin, y: top + 15, "class=\"title\""))
      top += 32
    }
    let (legend, legendHeight) = legend(top: top)
    body += legend
    top += legendHeight + 12
    let columns = panels.count == 1 ? 1 : 2
    let panelWidth =
      (Self.width - 2 * Self.margin - Self.gap * Double(columns - 1)) / Double(columns)
    let panelHeight = columns == 1 ? 340.0 : 250.0
    let steps = PlotPanel.steps(of: panels)
    for (number, panel) in panels.enumerated() {
      let frame = PlotPanel.Frame(
        left: Self.margin + Double(number % columns) * (panelWidth + Self.gap),
        top: top + Double(number / columns) * (panelHeight + 18), width: panelWidth,
        height: panelHeight)
      body += panel.svg(in: frame, steps: steps, number: number)
    }
    let rows = Double((panels.count + columns - 1) / columns)
    top += rows * panelHeight + (rows - 1) * 18
    if let note {
      body.append(PlotPanel.text(note, x: Self.margin, y: top + 18, "class=\"label\""))
      top += 20
    }
    return document(body, height: top + 14)
  }

  private func document(_ body: [String], height: Double) -> String {
    let size = "\(Self.width.short)\" height=\"\(height.short)"
    let name = SVGText.escaped(title ?? panels.map(\.title).joined(separator: "; "))
    let lines =
      [
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(size)\" "
          + "viewBox=\"0 0 \(Self.width.short) \(height.short)\" role=\"img\">",
        "<title>\(name)</title>",
        """
        <style>
        text { font-family: "DejaVu Sans", "Helvetica Neue", Arial, sans-serif; fill: #24292f }
        .title { font-size: 18px; font-weight: bold }
        .heading { font-size: 13px; font-weight: bold }
        .legend { font-size: 12px }
        .label { font-size: 11px; fill: #57606a }
        .grid { stroke: #e4e7eb; stroke-width: 1; fill: none }
        .axis { stroke: #8c959f; stroke-width: 1; fill: none }
        .line { stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; fill: none }
        .raw { stroke-width: 1; stroke-opacity: 0.25; fill: none }
        </style>
        """,
        "<rect width=\"\(size)\" fill=\"#ffffff\"/>",
      ] + body + ["</svg>"]
    return lines.joined(separator: "\n") + "\n"
  }

  /// Entries from left to right, in as many rows as they need.
  private func legend(top: Double) -> (lines: [String], height: Double) {
    var lines: [String] = []
    let swatch = 24.0
    let room = Self.width - 2 * Self.margin
    var (x, y) = (0.0, top + 10)
    for (place, label) in labels.enumerated() {
      let shown = SVGText.fitted(label, size: Self.legendSize, width: room - swatch - 8)
      let width = swatch + 8 + SVGText.width(shown, size: Self.legendSize) + 18
      if x > 0, x + width - 18 > room { (x, y) = (0, y + 20) }
      let left = Self.margin + x
      lines.append(
        "<path class=\"line\" d=\"M\(left.short),\((y - 4).short)h\(swatch.short)\" "
          + "stroke=\"\(PlotColour.of(place))\"\(PlotColour.dashes(of: place))/>")
      lines.append(PlotPanel.text(shown, x: left + swatch + 8, y: y, "class=\"legend\""))
      x += width
    }
    return (lines, y - top + 6)
  }
}
