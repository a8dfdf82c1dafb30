import Foundation
import Reporting

/// Something in a file from outside that cannot be used: which file, which place in it, which field.
struct InputError: Error, Equatable, LocalizedError, CustomStringConvertible {
  let file: String
  var place: InputPlace?
  var field: String?
  let problem: String

  var description: String {
    var beginning = [file]
    if let place { beginning.append(place.description) }
    if let field { beginning.append(field) }
    return (beginning.joined(separator: ", ") + ": " + problem).withoutControlCharacters
  }

  var errorDescription: String? { description }
}

/// Where a record stands in its file, counted from 1.
enum InputPlace: Equatable, CustomStringConvertible {
  /// Of a file with an object a line.
  case line(Int)
  /// Of a JSON list.
  case entry(Int)

  var description: String {
    switch self {
    case .line(let number): "line \(number)"
    case .entry(let number): "entry \(number)"
    }
  }
}
