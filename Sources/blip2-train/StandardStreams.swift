import Files
import Foundation
import Reporting

/// Messages for the person at the terminal, apart from results.
enum StandardError {
  /// Writes one message and a line break, in one piece where the system can.
  static func write(_ message: String) {
    StatusLine.wipe()
    let plain = message.split(separator: "\n", omittingEmptySubsequences: false)
      .map { String($0).withoutControlCharacters }.joined(separator: "\n")
    let text = TerminalColor.isShown(on: STDERR_FILENO) ? TerminalColor.painted(plain) : plain
    // A message that cannot be written has nowhere else to go.
    try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
  }

  /// Says how many images were passed over, if any.
  static func write(skipped: Int, of images: Int) {
    if skipped > 0 { write("skipped \(skipped) of \(Quantity.of(images, "image"))") }
  }
}

/// Results.
enum StandardOutput {
  /// Writes out what was printed, so that a full disk behind a redirection is seen.
  /// - Throws: `Failure`.
  static func flush() throws {
    let problem = "cannot write to standard output: some of the result is lost"
    guard fflush(stdout) == 0 else {
      let error = SystemError()
      throw Failure("\(problem): \(error.words) (errno \(error.code))")
    }
    // An earlier line may have been lost, whose reason is no longer known.
    guard ferror(stdout) == 0 else { throw Failure(problem) }
  }

  /// Whether standard output is a pipe that nobody reads any more, as behind `| head`.
  static var readerHasGone: Bool {
    var output = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
    return poll(&output, 1, 0) == 1 && output.revents & Int16(POLLERR) != 0
  }

  /// Prints `value` as JSON: keys sorted, numbers that JSON lacks as the texts "inf", "-inf", "nan".
  static func printJSON(_ value: some Encodable) throws { printJSON(try json(value)) }

  /// The same of a value that holds names of files; see `FileName.json`.
  static func printJSON(
    naming names: [String], _ value: ([String]) throws -> some Encodable
  ) throws {
    printJSON(try FileName.json(names) { try json(value($0)) })
  }

  private static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// Prints JSON as it is: its encoder has escaped what controls a terminal.
  static func printJSON(_ text: String) {
    StatusLine.wipe()
    Swift.print(text)
  }

  /// Whether lines are coloured.
  fileprivate static let isColoured = TerminalColor.isShown(on: STDOUT_FILENO)
}

/// Prints for people. It hides Swift's own within this module: names and texts from files may hold
/// anything, and must not steer the terminal.
func print(_ item: some CustomStringConvertible, terminator: String = "\n") {
  StatusLine.wipe()
  let text = item.description.withoutControlCharactersInLines
  Swift.print(
    StandardOutput.isColoured ? TerminalColor.painted(text) : text, terminator: terminator)
}
