import Foundation
import Synchronization

/// Says how far work has come that may take more than some seconds: on a terminal in a line that renews
/// itself, elsewhere in a line now and then; both on standard error, as the other stream has the result.
public final class WorkProgress {
  private static let isSilenced = Atomic<Bool>(false)

  /// Nothing is said from now on, by any work of the process.
  public static func silence() { isSilenced.store(true, ordering: .relaxed) }

  /// Where lines go, and when.
  struct Output {
    /// Whether a line takes the place of the one before it.
    var isTerminal: Bool
    /// The time that has passed since the beginning.
    var seconds: () -> Double
    var show: (_ fields: [String]) -> Void

    static func standardError() -> Output {
      let start = ContinuousClock.now
      let isTerminal =
        isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
      return Output(
        isTerminal: isTerminal, seconds: { (ContinuousClock.now - start).inSeconds },
        show: isTerminal
          ? StatusLine.show : { StatusLine.write($0.joined(separator: "  ") + "\n") })
    }
  }

  private let total: Int
  private let noun: String
  /// What was done before the beginning.
  private let before: Int
  private let output: Output
  /// What the last line said, and when.
  private var last: (done: Int, seconds: Double)

  /// - Parameters:
  ///   - total: How many there are in all.
  ///   - noun: What there are so many of, in the plural.
  ///   - done: How many of them are done already.
  package convenience init(_ total: Int, _ noun: String, done: Int = 0) {
    self.init(total, noun, done: done, output: .standardError())
  }

  init(_ total: Int, _ noun: String, done: Int, output: Output) {
    (self.total, self.noun, self.output) = (total, noun, output)
    before = done
    last = (done, 0)
  }

  /// Tells how many are done by now.
  package func advance(to done: Int) {
    let seconds = output.seconds()
    guard !Self.isSilenced.load(ordering: .relaxed), isDue(done, seconds) else { return }
    last = (done, seconds)
    output.show(fields(done, seconds))
  }

  /// Wipes the line that renews itself.
  package func finish() {
    if output.isTerminal { StatusLine.wipe() }
  }

  /// Nothing is shown of what takes less than two seconds; elsewhere than on a terminal at most a hundred
  /// lines, one in half a minute.
  private func isDue(_ done: Int, _ seconds: Double) -> Bool {
    output.isTerminal
      ? seconds >= 2 && seconds - last.seconds >= 0.2
      : seconds - last.seconds >= 30 && done - last.done >= total / 100
  }

  /// `12,000/50,000 images (24 %)`, `310/s`, `2 min 03 s left`: the most useful first.
  private func fields(_ done: Int, _ seconds: Double) -> [String] {
    let share = 100 * Double(done) / Double(max(1, total))
    let count = "\(Quantity.count(done))/\(Quantity.count(total)) \(noun) (\(Int(share)) %)"
    guard done > before, seconds > 0 else { return [count] }
    let rate = Double(done - before) / seconds
    let left = "\(ProgressReporter.duration(Double(total - done) / rate)) left"
    return [count, Quantity.rate(rate) + "/s"] + (done < total ? [left] : [])
  }
}
