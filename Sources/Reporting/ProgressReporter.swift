import Files
import Foundation

/// Says how a run gets on: lines that stay, and below them on a terminal one that renews itself.
public final class ProgressReporter {
  private let isTerminal: Bool
  private let isColoured: Bool
  /// Whether only warnings are shown; all lines are kept in the file.
  private let isQuiet: Bool
  private let totalSteps: Int
  private var lineLength = 0
  private var stepSeconds: [Double] = []
  private let started = ContinuousClock.now
  /// Where lines that stay are kept, and those from before there was such a file.
  private var transcript: GrowingFile?
  private var earlier: [String] = []
  /// Why standard output takes no more, once it does not.
  package private(set) var failure: SystemFailure?

  /// - Parameter isTerminal: By default whether standard output is one.
  public init(
    totalSteps: Int, isTerminal: Bool = isatty(STDOUT_FILENO) == 1, isQuiet: Bool = false
  ) {
    self.totalSteps = totalSteps
    self.isQuiet = isQuiet
    self.isTerminal = isTerminal
    isColoured = isTerminal && TerminalColor.isShown(on: STDOUT_FILENO)
  }

  package var secondsSinceStart: Double {
    (ContinuousClock.now - started).inSeconds
  }

  /// Samples a second over the last steps, of which the latest took so many seconds for so many samples.
  package func rate(of samples: Int, in seconds: Double) -> Double {
    stepSeconds.append(seconds)
    if stepSeconds.count > 20 { stepSeconds.removeFirst() }
    let mean = stepSeconds.reduce(0, +) / Double(stepSeconds.count)
    return mean > 0 ? Double(samples) / mean : 0
  }

  /// Shows what is known after a step, the most useful fields first: a narrow terminal shows fewer.
  /// - Parameters:
  ///   - epoch: Which pass over the data is under way, from 1.
  ///   - samples: Those of a step, and how many there are in a second.
  ///   - fields: Losses and what else is to be said.
  ///   - stays: Whether the line stays; others are shown on a terminal alone, where the next one takes
  ///     their place.
  package func show(
    step: Int, epoch: Int, samples: (count: Int, rate: Double), _ fields: [String], stays: Bool
  ) {
    if !isTerminal && !stays { return }
    let share = String(
      format: "%.*f", totalSteps < 1000 ? 0 : totalSteps < 100_000 ? 1 : 2,
      100 * Double(step) / Double(max(1, totalSteps)))
    let perSample = samples.rate > 0 ? 1 / samples.rate : 0
    let left = Double(totalSteps - step) * Double(samples.count) * perSample
    let all =
      [
        "step \(step)/\(totalSteps)", "\(share) %, epoch \(epoch)",
        "\(ProgressReporter.duration(left)) left",
        String(format: samples.rate < 10 ? "%.2f samples/s" : "%.1f samples/s", samples.rate),
      ] + fields
    if stays { keep(all.joined(separator: "  ")) }
    if isQuiet { return }
    let line =
      isTerminal ? StatusLine.fitting(all, on: STDOUT_FILENO) : all.joined(separator: "  ")
    if isTerminal && !stays { return renew(line) }
    write((isTerminal && lineLength > 0 ? StatusLine.clearing : "") + line + "\n")
    lineLength = 0
  }

  /// From now on lines that stay are kept in a file as well, those so far too.
  package func record(in file: GrowingFile) {
    transcript = file
    file.append(earlier.joined().utf8)
    earlier = []
  }

  private func keep(_ line: String) {
    if let transcript { transcript.append((line + "\n").utf8) } else { earlier.append(line + "\n") }
  }

  /// A line that stays.
  ///
  /// File names and messages of libraries may hold anything: control characters are not passed on.
  public func say(_ text: String) {
    let scalars = FileName.displayed(text + "\n").unicodeScalars.map {
      $0 != "\n" && $0.properties.generalCategory == .control ? "\u{FFFD}" : $0
    }
    let text = String(String.UnicodeScalarView(scalars))
    keep(String(text.dropLast()))
    if isQuiet && !text.hasPrefix("warning") { return }
    let shown = isColoured ? TerminalColor.painted(text) : text
    write(isTerminal && lineLength > 0 ? StatusLine.clearing + shown : shown)
    lineLength = 0
  }

  /// Names by what became of them, where there are any.
  package func say(lists: [(text: String, names: [String])]) {
    for (text, names) in lists where !names.isEmpty {
      say("  \(text) (\(names.count)): " + names.joined(separator: ", "))
    }
  }

  /// Ends the line that renews itself.
  public func finish() {
    if isTerminal && lineLength > 0 { write("\n") }
    lineLength = 0
  }

  private func renew(_ line: String) {
    lineLength = line.count
    write(StatusLine.clearing + line)
  }

  private func write(_ text: String) {
    StatusLine.wipe()
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else {
        failure = failure ?? SystemFailure("write", "standard output")
        return
      }
      rest = rest.dropFirst(written)
    }
  }

  /// `1 h 02 min`, `3 min 20 s` or `12 s`.
  package static func duration(_ seconds: Double) -> String {
    let whole = Int(min(max(0, seconds), 1e9).rounded())
    if whole >= 3600 {
      return String(format: "%d h %02d min", whole / 3600, whole % 3600 / 60)
    }
    return whole >= 60 ? String(format: "%d min %02d s", whole / 60, whole % 60) : "\(whole) s"
  }
}
