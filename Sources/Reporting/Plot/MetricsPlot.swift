/// Metrics of runs side by side, one panel each, as an SVG file.
public struct MetricsPlot {
  public let svg: String
  /// What the person who asked should know: damaged lines, runs without a metric.
  public let notes: [String]

  /// What is drawn where nothing is asked for, as far as it was logged: a loss and its held-out twin in one
  /// panel, what captions score, and recalls above what chance has.
  static let usualPanels: [[Part]] =
    ["itc", "itm", "itg", "lm"].map { [Part("train/\($0)"), Part("validation/\($0)", .heldOut)] }
    + ["cider", "rougeL"].map { [Part("validation/\($0)")] }
    + ["imageToText", "textToImage"].map {
      [Part("validation/cosine.\($0).r1"), Part("validation/chance.\($0).r1", .chance)]
    }

  /// A metric within a panel.
  struct Part {
    let metric: String
    let kind: PlotCurve.Kind

    init(_ metric: String, _ kind: PlotCurve.Kind = .measured) {
      (self.metric, self.kind) = (metric, kind)
    }
  }

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
      notes.append("\(run.file): skipped \(Quantity.of(run.damagedLines, "damaged line"))")
    }
    let known = Set(read.flatMap { $0.runs.flatMap { $0.series.keys } })
    let wanted = try MetricsPlot.panels(metrics, among: known)
    let panels = try wanted.map { parts in
      PlotPanel(
        title: MetricTitle.of(parts),
        curves: try parts.flatMap { part in
          let reports = !metrics.isEmpty
          return try MetricsPlot.curves(of: part, read, smooth: smooth) {
            if reports, !notes.contains($0) { notes.append($0) }
          }
        }, isShare: parts.allSatisfy { MetricTitle.isShare($0.metric) })
    }
    svg =
      PlotDrawing(
        title: title, labels: MetricsPlot.labels(groups), panels: panels,
        note: MetricsPlot.note(groups, smooth: smooth)
      ).svg
    self.notes = notes
  }

  private static func panels(
    _ asked: [String], among known: Set<String>
  ) throws -> [[Part]] {
    if asked.isEmpty {
      let usual = usualPanels.map { $0.filter { known.contains($0.metric) } }
        .filter { $0.contains { $0.kind != .chance } }
      return usual.isEmpty ? known.sorted().prefix(4).map { [Part($0)] } : usual
    }
    return try asked.map { name in
      guard let found = [name, "train/" + name, "validation/" + name].first(where: known.contains)
      else { throw PlotError.unknownMetric(name: name, known: known.sorted()) }
      return [Part(found)]
    }
  }

  /// - Parameter report: Is told of runs that lack the metric.
  private static func curves(
    of part: Part, _ groups: [Group], smooth: Int, report: (String) -> Void
  ) throws -> [PlotCurve] {
    var curves: [PlotCurve] = []
    for (place, group) in groups.enumerated() {
      let runs = group.runs.compactMap { run -> [RecordedMetrics.Point]? in
        let points = run.series[part.metric]
        if points == nil { report("\(run.file) has no \(part.metric)") }
        return points
      }
      if runs.isEmpty { continue }
      // Values of a whole held-out set are few and do not tremble from batch to batch.
      let isTraining = part.metric.hasPrefix("train/")
      let curve = PlotCurve(
        place: place, runs: runs, smooth: isTraining ? smooth : 1, kind: part.kind)
      if curve.points.isEmpty {
        throw PlotError.noCommonSteps(group: group.label, metric: part.metric)
      }
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
