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

  /// Shows what is known after a step.
  /// - Parameters:
  ///   - samples: Those of a step, and how many there are in a second.
  ///   - skipped: Images that could not be read and steps that made no update, since the run began.
  package func show(
    step: Int, _ losses: [(name: String, value: Double)], learningRate: Double,
    gradientNorm: Double, samples: (count: Int, rate: Double), skipped: (images: Int, steps: Int)
  ) {
    let isLogged = step % logEvery == 0 || step == totalSteps
    if !isTerminal && !isLogged { return }
    let perSample = samples.rate > 0 ? 1 / samples.rate : 0
    let left = Double(totalSteps - step) * Double(samples.count) * perSample
    var text = "step \(step)/\(totalSteps)"
    for loss in losses { text += String(format: "  \(loss.name) %.4f", loss.value) }
    text += String(format: "  lr %.2e", learningRate)
    text += String(format: "  |g| %.3g", gradientNorm)
    text += String(format: "  %.1f samples/s", samples.rate)
    text += "  \(ProgressReporter.duration(left)) left"
    if skipped.images > 0 { text += "  \(skipped.images) images skipped" }
    if skipped.steps > 0 { text += "  \(skipped.steps) steps skipped" }
    if isTerminal { renew(text) } else { write(text + "\n") }
  }

  /// A line that stays.
  ///
  /// File names and messages of libraries may hold anything: control characters are not passed on.
  public func say(_ text: String) {
    let scalars = FileName.displayed(text + "\n").unicodeScalars.map {
      $0 != "\n" && $0.properties.generalCategory == .control ? "\u{FFFD}" : $0
    }
    let text = String(String.UnicodeScalarView(scalars))
    write(isTerminal && lineLength > 0 ? "\r\u{1B}[K" + text : text)
    lineLength = 0
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
