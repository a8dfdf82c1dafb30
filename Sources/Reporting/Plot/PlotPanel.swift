import Foundation

/// One metric with its axes, drawn into a rectangle.
struct PlotPanel {
  var title: String
  var curves: [PlotCurve]
  /// Whether values are shares of all: the axis begins at 0, so that little looks little.
  var isShare = false

  static let labelSize = 11.0
  private static let titleHeight = 26.0
  private static let footHeight = 36.0

  struct Frame {
    var left: Double
    var top: Double
    var width: Double
    var height: Double
  }

  /// The steps that panels side by side cover, so that they can be compared by eye.
  static func steps(of panels: [PlotPanel]) -> ClosedRange<Double> {
    let steps = span(panels.flatMap(\.curves).flatMap(\.steps))
    // A run that is seen from near its beginning is seen from its beginning.
    let isNear = steps.lowerBound < 0.1 * steps.upperBound || steps.lowerBound == steps.upperBound
    return isNear ? 0...steps.upperBound : steps
  }

  /// - Parameters:
  ///   - steps: What the axis covers.
  ///   - number: Sets this panel's clipping path apart from the others'.
  func svg(in frame: Frame, steps: ClosedRange<Double>, number: Int) -> [String] {
    let points = curves.flatMap { $0.points + $0.raw }
    let values = PlotPanel.span(
      points.map(\.lowest) + points.map(\.highest) + (isShare ? [0] : []))
    let y = PlotAxis(
      covering: values, count: 5, endsAtTicks: true, label: PlotAxis.valueLabel)
    let labelWidth = y.ticks.map { SVGText.width($0.label, size: Self.labelSize) }.max() ?? 0
    let area = Frame(
      left: frame.left + labelWidth + 8, top: frame.top + Self.titleHeight,
      width: frame.width - labelWidth - 18,
      height: frame.height - Self.titleHeight - Self.footHeight)
    let x = PlotAxis(
      covering: steps, count: max(2, Int(area.width / 75)), endsAtTicks: false,
      label: PlotAxis.stepLabel)
    let scale = PlotScale(x: x.range, y: y.range, area: area)
    var lines = [
      PlotPanel.text(
        SVGText.fitted(title, size: 13, width: frame.width), x: frame.left, y: frame.top + 13,
        "class=\"heading\"")
    ]
    lines += grid(x: x, y: y, scale)
    let clip = "panel-\(number)"
    lines.append(
      "<clipPath id=\"\(clip)\"><rect x=\"\((area.left - 4).short)\" y=\"\((area.top - 4).short)\" "
        + "width=\"\((area.width + 8).short)\" height=\"\((area.height + 8).short)\"/></clipPath>")
    lines.append("<g clip-path=\"url(#\(clip))\">")
    // What is paler lies behind all lines.
    for curve in curves { lines += PlotPanel.background(of: curve, scale) }
    for curve in curves { lines += PlotPanel.line(of: curve, scale) }
    lines.append("</g>")
    return lines
  }

  private static func span(_ values: [Double]) -> ClosedRange<Double> {
    guard let low = values.min(), let high = values.max() else { return 0...1 }
    return low...high
  }

  // MARK: Axes

  private func grid(x: PlotAxis, y: PlotAxis, _ scale: PlotScale) -> [String] {
    let area = scale.area
    let (right, bottom) = (area.left + area.width, area.top + area.height)
    func line(_ kind: String, _ path: String) -> String {
      "<path class=\"\(kind)\" d=\"\(path)\"/>"
    }
    func label(_ text: String, x: Double, y: Double, anchor: String) -> String {
      PlotPanel.text(text, x: x, y: y, "class=\"label\" text-anchor=\"\(anchor)\"")
    }
    let rows = y.ticks.flatMap { tick in
      let place = scale.y(tick.value)
      return [
        line("grid", "M\(area.left.short),\(place.short)H\(right.short)"),
        label(tick.label, x: area.left - 6, y: place + 4, anchor: "end"),
      ]
    }
    let columns = x.ticks.flatMap { tick in
      let place = scale.x(tick.value)
      return [
        line("grid", "M\(place.short),\(area.top.short)V\(bottom.short)"),
        label(tick.label, x: place, y: bottom + 16, anchor: "middle"),
      ]
    }
    let foot = [
      line("axis", "M\(area.left.short),\(bottom.short)H\(right.short)"),
      label("step", x: area.left + area.width / 2, y: bottom + 31, anchor: "middle"),
    ]
    return rows + columns + foot
  }

  static func text(_ text: String, x: Double, y: Double, _ attributes: String) -> String {
    "<text x=\"\(x.short)\" y=\"\(y.short)\" \(attributes)>\(SVGText.escaped(text))</text>"
  }

  // MARK: Curves

  /// The band of a group, or the values that were smoothed.
  private static func background(of curve: PlotCurve, _ scale: PlotScale) -> [String] {
    let colour = PlotColour.of(curve.place)
    if curve.hasBand, curve.points.count > 1 {
      let upper = curve.points.map { scale.place($0.step, $0.highest) }
      let lower = curve.points.reversed().map { scale.place($0.step, $0.lowest) }
      let path = (upper + lower).joined(separator: "L")
      return ["<path d=\"M\(path)Z\" fill=\"\(colour)\" fill-opacity=\"0.18\"/>"]
    }
    guard curve.raw.count > 1 else { return [] }
    let path = curve.raw.map { scale.place($0.step, $0.value) }.joined(separator: "L")
    return ["<path class=\"raw\" d=\"M\(path)\" stroke=\"\(colour)\"/>"]
  }

  private static func line(of curve: PlotCurve, _ scale: PlotScale) -> [String] {
    let colour = PlotColour.of(curve.place)
    let places = curve.points.map { scale.place($0.step, $0.value) }
    var lines: [String] = []
    if curve.kind == .chance, let chance = curve.points.last?.value {
      // The same at every step.
      lines.append(
        "<path class=\"line\" d=\"M\(scale.area.left.short),\(scale.y(chance).short)"
          + "H\(scale.right.short)\" stroke=\"\(colour)\" stroke-dasharray=\"1.5 4\"/>")
      return lines
    }
    if places.count > 1 {
      let dashes =
        curve.kind == .heldOut
        ? " stroke-dasharray=\"6 4\"" : PlotColour.dashes(of: curve.place)
      lines.append(
        "<path class=\"line\" d=\"M\(places.joined(separator: "L"))\" stroke=\"\(colour)\""
          + dashes + "/>")
    }
    // Few values are seen one by one.
    if places.count <= 30 {
      for point in curve.points {
        lines.append(
          "<circle cx=\"\(scale.x(point.step).short)\" cy=\"\(scale.y(point.value).short)\" "
            + "r=\"2.6\" fill=\"\(colour)\"/>")
      }
    }
    return lines
  }
}

/// From numbers to places in the image.
struct PlotScale {
  var x: ClosedRange<Double>
  var y: ClosedRange<Double>
  var area: PlotPanel.Frame

  var right: Double { area.left + area.width }

  func x(_ value: Double) -> Double {
    area.left + (value - x.lowerBound) / (x.upperBound - x.lowerBound) * area.width
  }

  func y(_ value: Double) -> Double {
    area.top + (y.upperBound - value) / (y.upperBound - y.lowerBound) * area.height
  }

  func place(_ step: Double, _ value: Double) -> String { "\(x(step).short),\(y(value).short)" }
}

/// Colours that people with any kind of colour vision tell apart (Okabe and Ito 2008), those without
/// enough contrast to white left out; dashes set apart what comes after the last of them.
enum PlotColour {
  private static let all = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000",
  ]

  static func of(_ place: Int) -> String { all[place % all.count] }

  static func dashes(of place: Int) -> String {
    let patterns = ["", "7 4", "2 3", "9 3 2 3"]
    let pattern = patterns[place / all.count % patterns.count]
    return pattern.isEmpty ? "" : " stroke-dasharray=\"\(pattern)\""
  }
}

extension Double {
  /// A place in the image, to a tenth of a pixel.
  var short: String {
    // Raw values of a smoothed curve may lie far outside.
    let tenths = (min(max(self, -1e6), 1e6) * 10).rounded()
    return tenths.truncatingRemainder(dividingBy: 10) == 0
      ? String(Int(tenths / 10)) : String(format: "%.1f", tenths / 10)
  }
}
