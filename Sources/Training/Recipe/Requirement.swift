import Configuration

/// Holds a recipe's or an option's value against what it has to be.
/// - Parameters:
///   - field: The key or the option.
///   - found: What it says.
///   - expected: What would do, in words.
///   - advice: What to do, where that does not follow.
/// - Throws: `ConfigurationError.invalidValue` where `holds` is false.
package func require(
  _ holds: Bool, _ field: String, found: some CustomStringConvertible, expected: String,
  advice: String = ""
) throws {
  guard !holds else { return }
  throw ConfigurationError.invalidValue(
    field: field, found: found.description, expected: expected, advice: advice)
}
