import Foundation

/// An error of the command line itself, in words.
struct Failure: Error, LocalizedError, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }

  var errorDescription: String? { description }
}
