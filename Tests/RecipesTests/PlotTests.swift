import Foundation
import FoundationXML
import TestSupport
import Testing

@testable import Reporting
@testable import Training

/// Drawings of `metrics.jsonl`.
@Suite struct PlotTests {
  private func run(
    _ folder: TemporaryFolder, _ name: String, _ lines: [String]
  ) throws -> PlotGroup {
    try FileManager.default.createDirectory(
      at: folder.url.appendingPathComponent(name), withIntermediateDirectories: true)
    try folder.write(lines.map { $0 + "\n" }.joined(), to: name + "/metrics.jsonl")
    return PlotGroup(label: name, folders: [folder.path(name)])
  }

  private func line(_ step: Int, _ loss: Double, kind: String = "train") -> String {
    "{\"step\":\(step),\"kind\":\"\(kind)\",\"itc\":\(loss)}"
  }

  /// The elements and their attributes, by an XML parser of its own.
  private final class Elements: NSObject, XMLParserDelegate {
    var elements: [(name: String, attributes: [String: String])] = []
    var texts: [String] = []
    private var text = ""

    init(_ svg: String) throws {
      super.init()
      let parser = XMLParser(data: Data(svg.utf8))
      parser.delegate = self
      #expect(parser.parse(), "\(String(describing: parser.parserError))")
    }

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      elements.append((name, attributes))
      text = ""
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

    func parser(
      _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
    ) {
      if name == "text" { texts.append(text) }
      text = ""
    }

    func count(_ name: String, class kind: String) -> Int {
      elements.filter { $0.name == name && $0.attributes["class"] == kind }.count
    }
  }

  // MARK: Panels

  /// A loss and its held-out twin share a panel, chance lies under recalls, and recalls begin at 0.
  @Test func usualPanelsBelongTogether() throws {
    let folder = try TemporaryFolder()
    let first = try run(
      folder, "first",
      [
        line(1, 3), line(2, 2),
        #"{"step":2,"kind":"validation","itc":2.5,"cosine.imageToText.r1":40,"#
          + #""chance.imageToText.r1":1}"#,
      ])
    let second = try run(
      folder, "second",
      [
        #"{"step":4,"kind":"train","lm":3}"#, #"{"step":8,"kind":"train","lm":2}"#,
        #"{"step":8,"kind":"validation","lm":2.2,"cider":0.5,"rougeL":0.4}"#,
      ])
    let plot = try MetricsPlot([first, second], metrics: [])
    let drawing = try Elements(plot.svg)
    #expect(plot.notes.isEmpty, "\(plot.notes)")
    let titles = drawing.texts.filter { text in
      ["loss", "R@1", "CIDEr"].contains { text.contains($0) }
    }
    #expect(
      titles == [
        "ITC loss (contrast) – dashed: held out", "LM loss – dashed: held out", "CIDEr, held out",
        "Image → text R@1 in %, by cosine – dotted: chance",
      ], "\(drawing.texts)")
    #expect(drawing.texts.contains("ROUGE-L, held out"))
    #expect(drawing.texts.filter { $0 == "0" }.count == 1, "recalls begin at 0, losses do not")
  }

  // MARK: Reading

  @Test func damagedLinesArePassedOverAndCounted() throws {
    let folder = try TemporaryFolder()
    let deep = String(repeating: "[", count: 100_000)
    let group = try run(
      folder, "a",
      [
        line(1, 4), "not JSON", "{\"step\":2}", deep, line(3, 2),
        "{\"step\":-1,\"kind\":\"train\"}",
        "{\"step\":4,\"kind\":\"train\",\"itc\":null,\"itm\":1e300}",
        "{\"step\":9223372036854775807,\"kind\":\"train\"}", line(3, 1), "{\"step\":5,\"ki",
      ])
    let metrics = try RecordedMetrics(folder: group.folders[0])
    #expect(metrics.damagedLines == 6)
    #expect(metrics.series.keys.sorted() == ["train/itc"])
    #expect(
      metrics.series["train/itc"] == [.init(step: 1, value: 4), .init(step: 3, value: 1)])
    let plot = try MetricsPlot([group], metrics: [])
    #expect(plot.notes.count == 1 && plot.notes[0].contains("6 damaged lines"))
  }

  @Test func whatCannotBeReadIsNamed() throws {
    let folder = try TemporaryFolder()
    let empty = try run(folder, "empty", [])
    #expect(throws: PlotError.noNumbers(file: folder.path("empty/metrics.jsonl"))) {
      try MetricsPlot([empty], metrics: [])
    }
    let missing = #expect(throws: PlotError.self) {
      try MetricsPlot([PlotGroup(argument: folder.path("none"))], metrics: [])
    }
    #expect(missing?.description.contains(folder.path("none/metrics.jsonl")) == true)
    let sound = try run(folder, "a", [line(1, 4), line(1, 4, kind: "validation")])
    let unknown = #expect(throws: PlotError.self) { try MetricsPlot([sound], metrics: ["itd"]) }
    #expect(unknown == .unknownMetric(name: "itd", known: ["train/itc", "validation/itc"]))
    #expect(unknown?.description.contains("  validation/itc") == true)
    // A pipe would wait for ever.
    try FileManager.default.createDirectory(
      at: folder.url.appendingPathComponent("pipe"), withIntermediateDirectories: true)
    #expect(mkfifo(folder.path("pipe/metrics.jsonl"), 0o600) == 0)
    #expect(throws: PlotError.self) {
      try MetricsPlot([PlotGroup(argument: folder.path("pipe"))], metrics: [])
    }
  }

  @Test func groupsAreReadFromArguments() throws {
    #expect(try PlotGroup(argument: "runs/a/") == PlotGroup(label: "a", folders: ["runs/a/"]))
    #expect(
      try PlotGroup(argument: "x y=r/1,r/2") == PlotGroup(label: "x y", folders: ["r/1", "r/2"]))
    #expect(throws: PlotError.emptyGroup(argument: "x=,")) { try PlotGroup(argument: "x=,") }
    let folder = try TemporaryFolder()
    _ = try run(folder, "a=b,c", [line(1, 1)])
    let group = try PlotGroup(argument: folder.path("a=b,c"))
    #expect(group.folders == [folder.path("a=b,c")] && group.label == "a=b,c")
  }

  // MARK: Lines

  @Test func groupsAreAveragedAtCommonSteps() throws {
    let curve = PlotCurve(
      place: 0,
      runs: [[(1, 1), (2, 2), (3, 3)], [(2, 4), (3, 9)], [(2, 6), (3, 3), (4, 0)]].map {
        $0.map { RecordedMetrics.Point(step: $0.0, value: $0.1) }
      }, smooth: 1)
    #expect(
      curve.points == [
        .init(step: 2, value: 4, lowest: 2, highest: 6),
        .init(step: 3, value: 5, lowest: 3, highest: 9),
      ])
    #expect(curve.hasBand)
    let folder = try TemporaryFolder()
    let group = PlotGroup(
      label: "g",
      folders: try run(folder, "a", [line(1, 1)]).folders + run(folder, "b", [line(2, 1)]).folders)
    #expect(throws: PlotError.noCommonSteps(group: "g", metric: "train/itc")) {
      try MetricsPlot([group], metrics: ["itc"])
    }
  }

  @Test func smoothingKeepsStraightLines() {
    let line = (0..<20).map { RecordedMetrics.Point(step: Double($0), value: Double(3 * $0)) }
    for (point, smooth) in zip(line, PlotCurve.smoothed(line, over: 7)).dropFirst(3).dropLast(3) {
      #expect(abs(point.value - smooth.value) < 1e-9)
    }
    let peak = [0, 0, 9, 0, 0].enumerated().map {
      RecordedMetrics.Point(step: Double($0), value: $1)
    }
    #expect(PlotCurve.smoothed(peak, over: 3).map(\.value) == [0, 3, 3, 3, 0])
    #expect(PlotCurve.smoothed(peak, over: 1000).map(\.value).allSatisfy { $0 == 1.8 })
  }

  @Test func manyPointsAreThinnedToTheirMeans() {
    let points = (0..<100_000).map {
      PlotCurve.Point(step: Double($0), value: 2, lowest: 1, highest: 3)
    }
    let thinned = PlotCurve.thinned(points)
    #expect((300...600).contains(thinned.count))
    #expect(thinned.allSatisfy { $0.value == 2 && $0.lowest == 1 && $0.highest == 3 })
    #expect(thinned.map(\.step) == thinned.map(\.step).sorted())
  }

  // MARK: Axes

  @Test(arguments: [
    (0.0, 1.0, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    (3.2, 4.3, ["3.0", "3.5", "4.0", "4.5"]),
    (-12, 37, ["−20", "−10", "0", "10", "20", "30", "40"]),
    (0, 1e-4, ["0", "2e−5", "4e−5", "6e−5", "8e−5", "1e−4"]),
    (1e8, 3e8, ["1e8", "1.5e8", "2e8", "2.5e8", "3e8"]),
    (5, 5, ["4.4", "4.6", "4.8", "5.0", "5.2", "5.4", "5.6"]),
  ])
  func valuesHaveRoundTicks(_ low: Double, _ high: Double, _ labels: [String]) {
    let axis = PlotAxis(
      covering: low...high, count: 5, endsAtTicks: true, label: PlotAxis.valueLabel)
    #expect(axis.ticks.map(\.label) == labels)
    #expect(axis.range.contains(low) && axis.range.contains(high))
  }

  @Test func stepsHaveShortLabels() {
    let axis = PlotAxis(
      covering: 10...20_000, count: 4, endsAtTicks: false, label: PlotAxis.stepLabel)
    #expect(axis.ticks.map(\.label) == ["5k", "10k", "15k", "20k"])
    #expect(PlotAxis.stepLabel(1_500_000, 500_000) == "1.5M")
    #expect(PlotAxis.stepLabel(1050, 50) == "1050")
  }

  @Test(arguments: [
    (0.0, 0.0), (.leastNonzeroMagnitude, .leastNonzeroMagnitude), (1e100, 1e100), (-1e100, 1e100),
    (1, 1.000_000_000_000_1),
    (0, .leastNonzeroMagnitude), (9_007_199_254_740_991, 9_007_199_254_740_992),
  ])
  func anyRangeHasAFewTicks(_ low: Double, _ high: Double) {
    for ends in [true, false] {
      let axis = PlotAxis(
        covering: low...high, count: 5, endsAtTicks: ends, label: PlotAxis.valueLabel)
      #expect((2...13).contains(axis.ticks.count), "\(axis)")
      #expect(axis.range.lowerBound < axis.range.upperBound)
      #expect(axis.ticks.allSatisfy { $0.label.count < 14 }, "\(axis)")
    }
  }

  // MARK: Drawings

  @Test func hasAPanelForEachMetricAndALineForEachRun() throws {
    let folder = try TemporaryFolder()
    let lines = (1...50).map { line($0, 5 - Double($0) / 20) }
    let a = try run(folder, "a", lines + [line(50, 3, kind: "validation")])
    let b = try run(folder, "b", lines)
    let pair = PlotGroup(label: "pair", folders: a.folders + b.folders)
    let plot = try MetricsPlot(
      [a, b, pair], metrics: ["itc", "validation/itc"], smooth: 5, title: "Two runs")
    let drawing = try Elements(plot.svg)
    #expect(drawing.count("text", class: "heading") == 2)
    #expect(drawing.count("text", class: "title") == 1)
    // Three of the legend, three of the first panel; a single value is a dot.
    #expect(drawing.count("path", class: "line") == 6)
    #expect(drawing.count("path", class: "raw") == 2)
    #expect(drawing.elements.filter { $0.attributes["fill-opacity"] != nil }.count == 1)
    #expect(drawing.elements.filter { $0.name == "circle" }.count == 2)
    #expect(drawing.texts.contains("ITC loss (contrast)"))
    #expect(drawing.texts.contains("ITC loss (contrast), held out"))
    #expect(drawing.texts.filter { $0 == "step" }.count == 2)
    #expect(plot.notes.contains { $0.contains("b/metrics.jsonl has no validation/itc") })
    #expect(!plot.svg.contains("href") && !plot.svg.contains("nan") && !plot.svg.contains("inf"))
  }

  @Test func hostileLabelsAreEscaped() throws {
    let folder = try TemporaryFolder()
    var group = try run(folder, "a", [line(1, 1), line(2, 2)])
    let hostile = "</text><script>alert('x')</script>&\"\u{0}\u{1B}[31m\u{FFFF}"
    group.label = hostile
    let plot = try MetricsPlot([group], metrics: ["itc"], title: hostile)
    #expect(!plot.svg.contains("<script"))
    let drawing = try Elements(plot.svg)
    let expected = "</text><script>alert('x')</script>&\"\u{FFFD}\u{FFFD}[31m\u{FFFD}"
    #expect(drawing.texts.filter { $0 == expected }.count == 2)
    group.label = String(repeating: "wide 幅 ", count: 1000)
    let long = try Elements(try MetricsPlot([group], metrics: ["itc"]).svg)
    #expect(long.texts.contains { $0.hasPrefix("wide 幅") && $0.hasSuffix("…") && $0.count < 160 })
  }

  // MARK: The command

  @Test func theCommandDrawsARun() throws {
    let run = try TinyRun(steps: 4)
    #expect(try BuiltTool.run(run.arguments("a")).status == 0)
    let file = run.output("plot.svg")
    let drawn = try BuiltTool.run(
      ["plot", run.output("a"), "--metric", "total", "--metric", "learningRate", "--output", file])
    #expect(drawn.status == 0, "\(drawn.errors)")
    let drawing = try Elements(try String(contentsOfFile: file, encoding: .utf8))
    #expect(drawing.count("text", class: "heading") == 2)
    let unknown = try BuiltTool.run(
      ["plot", run.output("a"), "--metric", "accuracy", "--output", file])
    #expect(unknown.status == 1)
    #expect(unknown.errors.contains("accuracy") && unknown.errors.contains("train/itc"))
    let unwritable = try BuiltTool.run(
      ["plot", run.output("a"), "--output", run.output("none/plot.svg")])
    #expect(unwritable.status == 1 && unwritable.errors.contains("none/plot.svg"))
    let wrong = try BuiltTool.run(
      ["plot", run.output("a"), "--smooth", "0", "--output", file])
    #expect(wrong.status == 64)
  }
}
