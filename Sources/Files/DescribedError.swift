import Foundation

extension LocalizedError where Self: CustomStringConvertible {
  /// The error's own words, where Foundation asks for some.
  public var errorDescription: String? { description }
}
