import Files
import Foundation

/// Says how a run gets on: one line that renews itself on a terminal, plain lines elsewhere.
public final class ProgressReporter {
  private let isTerminal: Bool
  private let totalSteps: Int
  private let logEvery: Int
  private var lineLength = 0
  private var stepSeconds: [Double] = []
  private let started = ContinuousClock.now
  /// Why standard output takes no more, once it does not.
  package private(set) var failure: SystemFailure?

  /// - Parameter isTerminal: By default whether standard output is one.
  public init(totalSteps: Int, logEvery: Int, isTerminal: Bool = isatty(STDOUT_FILENO) == 1) {
    self.totalSteps = totalSteps
    self.logEvery = logEvery
    self.isTerminal = isTerminal
  }

  /// What is known after a step.
  package struct StepReport {
    package var step: Int
    package var losses: [(name: String, value: Double)]
    package var learningRate: Double
    package var gradientNorm: Double
    package var seconds: Double
    package var samples: Int
    package var skippedImages: Int
    package var skippedSteps: Int

    package init(
      step: Int, losses: [(name: String, value: Double)], learningRate: Double,
      gradientNorm: Double, seconds: Double, samples: Int, skippedImages: Int, skippedSteps: Int
    ) {
      self.step = step
      self.losses = losses
      self.learningRate = learningRate
      self.gradientNorm = gradientNorm
      self.seconds = seconds
      self.samples = samples
      self.skippedImages = skippedImages
      self.skippedSteps = skippedSteps
    }
  }

  package var secondsSinceStart: Double {
    (ContinuousClock.now - started).inSeconds
  }

  /// Samples a second over the last steps.
  package func rate(_ report: StepReport) -> Double {
    stepSeconds.append(report.seconds)
    if stepSeconds.count > 20 { stepSeconds.removeFirst() }
    let mean = stepSeconds.reduce(0, +) / Double(stepSeconds.count)
    return mean > 0 ? Double(report.samples) / mean : 0
  }

  package func show(_ report: StepReport, rate: Double) {
    let isLogged = report.step % logEvery == 0 || report.step == totalSteps
    if !isTerminal && !isLogged { return }
    let perSample = rate > 0 ? 1 / rate : 0
    let left = Double(totalSteps - report.step) * Double(report.samples) * perSample
    var text = "step \(report.step)/\(totalSteps)"
    for loss in report.losses { text += String(format: "  \(loss.name) %.4f", loss.value) }
    text += String(format: "  lr %.2e", report.learningRate)
    text += String(format: "  |g| %.3g", report.gradientNorm)
    text += String(format: "  %.1f samples/s", rate)
    text += "  \(ProgressReporter.duration(left)) left"
    if report.skippedImages > 0 { text += "  \(report.skippedImages) images skipped" }
    if report.skippedSteps > 0 { text += "  \(report.skippedSteps) steps skipped" }
    if isTerminal { renew(text) } else { write(text + "\n") }
  }

  /// A line that stays.
  ///
  /// File names and messages of libraries may hold anything: control characters are not passed on.
  public func say(_ text: String) {
    let text = String(
      String.UnicodeScalarView(
        FileName.displayed(text).unicodeScalars.map {
          $0 != "\n" && $0.properties.generalCategory == .control ? "\u{FFFD}" : $0
        }))
    if isTerminal && lineLength > 0 {
      write("\r\u{1B}[K" + text + "\n")
      lineLength = 0
    } else {
      write(text + "\n")
    }
  }

  /// Names by what became of them, where there are any.
  package func say(lists: [(text: String, names: [String])]) {
    for (text, names) in lists where !names.isEmpty {
      say("  \(names.count) \(text): " + names.joined(separator: ", "))
    }
  }

  /// Ends the line that renews itself.
  public func finish() {
    if isTerminal && lineLength > 0 { write("\n") }
    lineLength = 0
  }

  private func renew(_ text: String) {
    var size = winsize()
    let columns = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 0
    let shown = columns > 1 ? String(text.prefix(columns - 1)) : text
    lineLength = shown.count
    write("\r\u{1B}[K" + shown)
  }

  private func write(_ text: String) {
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
