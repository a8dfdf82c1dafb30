import Foundation

/// Colours of the words that lines begin with, on terminals alone.
package enum TerminalColor {
  /// What lines begin with, and how it is shown (ECMA-48, SGR).
  private static let beginnings = [
    ("error:", "1;31"), ("warning:", "33"), ("done:", "1;32"), ("the best so far", "32"),
  ]

  /// Whether a descriptor is of a terminal that shows colours, and `NO_COLOR` (no-color.org) is not set.
  package static func isShown(on descriptor: Int32) -> Bool {
    isatty(descriptor) == 1 && isWanted(ProcessInfo.processInfo.environment)
  }

  static func isWanted(_ environment: [String: String]) -> Bool {
    (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
  }

  /// The text with the known beginnings of its lines coloured.
  package static func painted(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      guard let (word, code) = beginnings.first(where: { line.hasPrefix($0.0) }) else {
        return String(line)
      }
      return "\u{1B}[\(code)m\(word)\u{1B}[0m" + line.dropFirst(word.count)
    }
    .joined(separator: "\n")
  }
}
