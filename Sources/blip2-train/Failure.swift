import ArgumentParser
import Foundation

/// An error of the command line itself, in words.
struct Failure: Error, LocalizedError, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }

  var errorDescription: String? { description }
}

extension ValidationError {
  /// Refuses a number beyond what an option takes; `Int.max` at the range's end for no limit.
  static func check(_ option: String, _ value: Int?, in range: ClosedRange<Int>) throws {
    guard let value, !range.contains(value) else { return }
    let expected =
      range.upperBound == .max
      ? "at least \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
    throw ValidationError("\(option): expected \(expected), found \(value)")
  }
}
