import Foundation
import Synchronization

/// The line at the foot of a terminal that renews itself, on standard error: a process has one.
package enum StatusLine {
  /// Goes to a line's beginning and wipes it.
  static let clearing = "\r\u{1B}[K"
  private static let isShown = Atomic<Bool>(false)

  /// Shows as many of the fields as fit, in place of what the line showed.
  static func show(_ fields: [String]) {
    write(clearing + fitting(fields, on: STDERR_FILENO))
    isShown.store(true, ordering: .relaxed)
  }

  /// Wipes the line, where there is one: call it before anything else goes to the terminal.
  package static func wipe() {
    if isShown.exchange(false, ordering: .relaxed) { write(clearing) }
  }

  static func write(_ text: String) {
    // What cannot be shown has nowhere else to go.
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }

  /// As many of the fields as a terminal's line holds, the beginning of the first at least; all where the
  /// descriptor is of no terminal that says its width.
  static func fitting(_ fields: [String], on descriptor: Int32) -> String {
    var size = winsize()
    let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 1
    return fitting(fields, columns: isKnown ? Int(size.ws_col) : .max)
  }

  static func fitting(_ fields: [String], columns: Int) -> String {
    var line = String(fields[0].prefix(columns - 1))
    for field in fields.dropFirst() {
      if line.count + 2 + field.count >= columns { break }
      line += "  " + field
    }
    return line
  }
}
