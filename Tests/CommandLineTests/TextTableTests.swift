import Reporting
import Testing

@testable import blip2_train

struct TextTableTests {
  @Test func columnsLineUp() {
    var table = TextTable(.left, .right, header: ["name", "count"])
    table.add("a", "1")
    table.add("longer", "1,000,000")
    #expect(
      table.description == """
        name        count
        a               1
        longer  1,000,000
        """)
    #expect(table.indented().hasPrefix("  name "))
  }

  @Test func linesEndWithoutBlanks() {
    var table = TextTable(.left, .left)
    table.add("a", "")
    table.add("b", "long")
    #expect(table.description == "a\nb  long")
  }

  @Test func controlCharactersAreSpeltOut() {
    var table = TextTable(.left)
    table.add("é\u{1B}[0m\n\u{202E}x")
    #expect(table.description == "é\\u{1b}[0m\\u{a}\\u{202e}x")
    #expect("a\n\tb\r".withoutControlCharactersInLines == "a\n\tb\\u{d}")
  }

  @Test(arguments: [
    (0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (5_000_000_000, "4.7 GiB"),
    (Int.max, "8388608.0 TiB"),
  ])
  func bytes(_ count: Int, _ text: String) { #expect(Quantity.bytes(count) == text) }

  @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567")])
  func counts(_ count: Int, _ text: String) { #expect(Quantity.count(count) == text) }

  @Test func nouns() {
    #expect(Quantity.of(1, "thread") == "1 thread")
    #expect(Quantity.of(2, "thread") == "2 threads")
  }
}
