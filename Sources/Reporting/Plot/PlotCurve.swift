/// What one group of runs says of one metric.
package struct PlotCurve: Equatable {
  package struct Point: Equatable {
    package var step: Double
    /// The mean over the runs.
    package var value: Double
    /// Of the runs; both are the value where there is one run.
    package var lowest: Double
    package var highest: Double
  }

  /// What the values are, which decides how they are drawn.
  enum Kind: Equatable {
    case measured
    /// The same as another curve of the panel, of held-out pairs.
    case heldOut
    /// What guessing would have.
    case chance
  }

  /// The place of the group among all, which decides the colour.
  var place: Int
  var kind: Kind
  var points: [Point]
  /// The first step and the last, which points that stand for several do not show.
  var steps: [Double]
  /// A single run as it was logged, where `points` are smoothed.
  var raw: [Point] = []
  var hasBand: Bool

  /// More would not be seen at the width of an image.
  private static let maximumPointCount = 600

  /// The runs' mean at the steps that all of them have.
  /// - Parameters:
  ///   - runs: At least one, in the order of steps.
  ///   - smooth: The points of the moving average, 1 for none.
  init(place: Int, runs: [[RecordedMetrics.Point]], smooth: Int, kind: Kind = .measured) {
    self.place = place
    self.kind = kind
    hasBand = runs.count > 1
    let merged = PlotCurve.merged(runs.map { PlotCurve.smoothed($0, over: smooth) })
    points = PlotCurve.thinned(merged)
    steps = [merged.first, merged.last].compactMap { $0?.step }
    if runs.count == 1, smooth > 1 { raw = PlotCurve.thinned(PlotCurve.merged(runs)) }
  }

  /// A moving average over `count` points, half of them before and half after; at the ends over those
  /// that there are, since single values would tremble there.
  static func smoothed(
    _ points: [RecordedMetrics.Point], over count: Int
  ) -> [RecordedMetrics.Point] {
    guard count > 1 else { return points }
    let reach = count / 2
    return points.indices.map { index in
      let window = points[max(0, index - reach)...min(points.count - 1, index + reach)]
      let sum = window.reduce(0) { $0 + $1.value }
      return RecordedMetrics.Point(step: points[index].step, value: sum / Double(window.count))
    }
  }

  package static func merged(_ runs: [[RecordedMetrics.Point]]) -> [Point] {
    var merged = (runs.first ?? []).map {
      Point(step: $0.step, value: $0.value, lowest: $0.value, highest: $0.value)
    }
    for run in runs.dropFirst() {
      var values: [Double: Double] = [:]
      for point in run { values[point.step] = point.value }
      merged = merged.compactMap { point in
        guard let value = values[point.step] else { return nil }
        return Point(
          step: point.step, value: point.value + value, lowest: min(point.lowest, value),
          highest: max(point.highest, value))
      }
    }
    for index in merged.indices { merged[index].value /= Double(runs.count) }
    return merged
  }

  /// Neighbours are averaged where there are too many to be seen.
  static func thinned(_ points: [Point]) -> [Point] {
    let size = (points.count + maximumPointCount - 1) / maximumPointCount
    guard size > 1 else { return points }
    return stride(from: 0, to: points.count, by: size).map { start in
      let part = points[start..<min(points.count, start + size)]
      func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
      return Point(
        step: mean(part.map(\.step)), value: mean(part.map(\.value)),
        lowest: mean(part.map(\.lowest)), highest: mean(part.map(\.highest)))
    }
  }
}
