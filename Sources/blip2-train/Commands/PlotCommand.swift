import ArgumentParser
import Files
import Foundation
import Reporting
import Training

/// `blip2-train plot`.
struct PlotCommand: ResultCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot",
    abstract: "Draw the metrics of one or more runs as an SVG file.",
    discussion: """
      Reads metrics.jsonl of each run. There is a panel for each metric and a line for each run; \
      runs given as LABEL=FOLDER,FOLDER,… become one line, their mean, with a band from the \
      lowest to the highest.

      Metrics are named as in TensorBoard: train/itc, train/learningRate, validation/itc, \
      validation/cosine.imageToText.r1. The part up to the slash may be left out: itc is \
      train/itc. Without --metric, losses are drawn with those of held-out pairs beside them, scores of \
      captions, and R@1 beside chance; a name that no run has is answered with those that there are.

      Examples:
        blip2-train plot Checkpoints/demo-stage1 --output demo.svg
        blip2-train plot runs/a runs/b --metric itc --metric validation/itc \\
          --output losses.svg
        blip2-train plot "frozen=runs/f1,runs/f2,runs/f3" \\
          "trained=runs/t1,runs/t2,runs/t3" --smooth 9 \\
          --title "Three seeds each" --output seeds.svg
      """)

  @Argument(help: "A run's output folder, or LABEL=FOLDER,FOLDER,… for the mean of several.")
  var runs: [String]

  @Option(
    name: .customLong("metric"), parsing: .singleValue,
    help: "A metric to draw. May be repeated.")
  var metrics: [String] = []

  @Option(help: "Draw training values as a moving average over this many.")
  var smooth = 1

  @Option(help: "A line above the panels.")
  var title: String?

  @Option(help: "The SVG file to write. An earlier SVG file is replaced.")
  var output: String

  @Flag(help: "Replace whatever file lies there.")
  var force = false

  @OptionGroup var result: ResultOptions

  func validate() throws {
    try ValidationError.check("--smooth", smooth, in: 1...MetricsPlot.maximumSmoothing)
    if metrics.count > 64 {
      throw ValidationError("--metric: expected at most 64 of them, found \(metrics.count)")
    }
  }

  func run() throws {
    try OutputPath.checkFile(output, force: force) { beginning in
      String(decoding: beginning, as: UTF8.self).contains("<svg ")
    }
    let groups = try runs.map(PlotGroup.init(argument:))
    let plot = try MetricsPlot(groups, metrics: metrics, smooth: smooth, title: title)
    for note in plot.notes { StandardError.write("note: \(note)") }
    try AtomicFile.write(plot.svg.utf8, to: output)
    try result.show(naming: [output], text: "wrote \(output)") {
      Drawn(output: $0[0], notes: plot.notes)
    }
  }

  /// What `--json` prints.
  private struct Drawn: Encodable {
    let output: String
    let notes: [String]
  }
}
