import Testing

@testable import Reporting

/// How far work has come, by a clock that the test turns.
struct WorkProgressTests {
  private final class Screen {
    var seconds = 0.0
    var lines: [[String]] = []

    func progress(_ total: Int, done: Int = 0, isTerminal: Bool) -> WorkProgress {
      WorkProgress(
        total, "images", done: done,
        output: .init(
          isTerminal: isTerminal, seconds: { self.seconds }, show: { self.lines.append($0) }))
    }
  }

  @Test func aTerminalIsRenewedOftenButNotAtOnce() {
    let screen = Screen()
    let progress = screen.progress(50_000, isTerminal: true)
    for tenth in 0...22 {
      screen.seconds = Double(tenth) / 10
      progress.advance(to: tenth * 100)
    }
    #expect(screen.lines.count == 2)
    screen.seconds = 40
    progress.advance(to: 12_000)
    #expect(screen.lines.last == ["12,000/50,000 images (24 %)", "300/s", "2 min 07 s left"])
    screen.seconds = 200
    progress.advance(to: 50_000)
    #expect(screen.lines.last == ["50,000/50,000 images (100 %)", "250/s"])
  }

  /// Elsewhere a line stands for half a minute and a hundredth of the work.
  @Test func aFileGetsFewLines() {
    let screen = Screen()
    let progress = screen.progress(1000, isTerminal: false)
    for (seconds, done) in [(29.0, 5), (31, 9), (32, 10), (40, 500), (61, 510), (62, 520)] {
      screen.seconds = seconds
      progress.advance(to: done)
    }
    #expect(
      screen.lines.map { $0.first ?? "" } == [
        "10/1,000 images (1 %)", "520/1,000 images (52 %)",
      ])
  }

  /// What was there at the beginning counts for no rate, and nothing is divided by nought.
  @Test func nothingDoneHasNoRate() {
    let screen = Screen()
    let progress = screen.progress(100, done: 40, isTerminal: true)
    screen.seconds = 4
    progress.advance(to: 40)
    screen.seconds = 8
    progress.advance(to: 42)
    let none = screen.progress(0, isTerminal: true)
    none.advance(to: 0)
    #expect(
      screen.lines == [
        ["40/100 images (40 %)"], ["42/100 images (42 %)", "0.25/s", "3 min 52 s left"],
        ["0/0 images (0 %)"],
      ])
  }

  @Test(arguments: [(80, "abc  defg  hi"), (13, "abc  defg"), (4, "abc"), (3, "ab")])
  func aLineHoldsWhatFits(_ columns: Int, _ line: String) {
    #expect(StatusLine.fitting(["abc", "defg", "hi"], columns: columns) == line)
  }

  @Test func beginningsAreColoured() {
    #expect(TerminalColor.painted("warning: a\nb") == "\u{1B}[33mwarning:\u{1B}[0m a\nb")
    #expect(TerminalColor.painted("error: a") == "\u{1B}[1;31merror:\u{1B}[0m a")
    #expect(TerminalColor.painted("no error: a\n") == "no error: a\n")
  }

  @Test(arguments: [
    ([:], true), (["NO_COLOR": ""], true), (["NO_COLOR": "1"], false), (["TERM": "dumb"], false),
    (["TERM": "xterm"], true),
  ])
  func coloursMayBeRefused(_ environment: [String: String], _ isWanted: Bool) {
    #expect(TerminalColor.isWanted(environment) == isWanted)
  }

  @Test func rates() {
    #expect([0.254, 3.14, 10, 1234.5].map(Quantity.rate) == ["0.25", "3.1", "10", "1,235"])
    #expect(Quantity.percent(0.6128) == "61.3 %")
  }
}
