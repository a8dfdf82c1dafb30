/// Metrics of runs side by side, one panel each, as an SVG file.
public struct MetricsPlot {
  public let svg: String
  /// What the person who asked should know: damaged lines, runs without a metric.
  public let notes: [String]

  /// The panels where none are asked for: those of these that were logged.
  public static let usualMetrics = [
    "train/itc", "train/itm", "train/itg", "validation/cosine.imageToText.r1",
    "validation/cosine.textToImage.r1",
  ]
  /// The longest moving average.
  public static let maximumSmoothing = 1000

  private struct Group {
    var label: String
    var runs: [RecordedMetrics]
  }

  /// - Parameters:
  ///   - groups: At least one; each is a line, the mean of its runs.
  ///   - metrics: Names such as `train/itc`, or `itc` for short; the usual ones if empty.
  ///   - smooth: Over how many logged values of the training a moving average goes; 1 for none.
  /// - Throws: ``PlotError``.
  public init(
    _ groups: [PlotGroup], metrics: [String], smooth: Int = 1, title: String? = nil
  ) throws {
    precondition((1...Self.maximumSmoothing).contains(smooth), "a moving average over \(smooth)")
    var notes: [String] = []
    let read = try groups.map { group in
      Group(label: group.label, runs: try group.folders.map(RecordedMetrics.init(folder:)))
    }
    for run in read.flatMap(\.runs) where run.damagedLines > 0 {
      notes.append("\(run.file): \(run.damagedLines) damaged lines were passed over")
    }
    let known = Set(read.flatMap { $0.runs.flatMap { $0.series.keys } })
    let names = try MetricsPlot.names(metrics, among: known)
    let panels = try names.map { name in
      PlotPanel(
        title: MetricTitle.of(name),
        curves: try MetricsPlot.curves(of: name, read, smooth: smooth, notes: &notes))
    }
    svg =
      PlotDrawing(
        title: title, labels: MetricsPlot.labels(groups), panels: panels,
        note: MetricsPlot.note(groups, smooth: smooth)
      ).svg
    self.notes = notes
  }

  private static func names(_ asked: [String], among known: Set<String>) throws -> [String] {
    let usual = usualMetrics.filter(known.contains)
    if asked.isEmpty { return usual.isEmpty ? Array(known.sorted().prefix(4)) : usual }
    return try asked.map { name in
      guard let found = [name, "train/" + name, "validation/" + name].first(where: known.contains)
      else { throw PlotError.unknownMetric(name: name, known: known.sorted()) }
      return found
    }
  }

  private static func curves(
    of name: String, _ groups: [Group], smooth: Int, notes: inout [String]
  ) throws -> [PlotCurve] {
    var curves: [PlotCurve] = []
    for (place, group) in groups.enumerated() {
      let runs = group.runs.compactMap { run -> [RecordedMetrics.Point]? in
        let points = run.series[name]
        let note = "\(run.file) has no \(name)"
        if points == nil, !notes.contains(note) { notes.append(note) }
        return points
      }
      if runs.isEmpty { continue }
      // Values of a whole held-out set are few and do not tremble from batch to batch.
      let isTraining = name.hasPrefix("train/")
      let curve = PlotCurve(place: place, runs: runs, smooth: isTraining ? smooth : 1)
      if curve.points.isEmpty { throw PlotError.noCommonSteps(group: group.label, metric: name) }
      curves.append(curve)
    }
    return curves
  }

  /// Folders of the same name are told apart by their paths.
  private static func labels(_ groups: [PlotGroup]) -> [String] {
    groups.map { group in
      let namesakes = groups.filter { $0.label == group.label }
      return namesakes.count > 1 && group.folders.count == 1 ? group.folders[0] : group.label
    }
  }

  private static func note(_ groups: [PlotGroup], smooth: Int) -> String? {
    var parts: [String] = []
    let counts = Set(groups.map(\.folders.count).filter { $0 > 1 })
    if !counts.isEmpty {
      let runs = counts.count == 1 ? "\(counts.first ?? 0) runs" : "several runs"
      parts.append("mean of \(runs), the band from the lowest to the highest")
    }
    if smooth > 1 { parts.append("training values are moving averages over \(smooth)") }
    return parts.isEmpty ? nil : "Lines: " + parts.joined(separator: "; ") + "."
  }
}
