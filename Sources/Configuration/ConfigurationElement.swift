/// A section that the defaults hold no example of: an element of a list, or a section that is null
/// by default.
///
/// A list in a file replaces the default list as a whole, so that its elements have no defaults of
/// their own to start from. Each element of a conforming type starts from `template` instead, and a
/// file need only name the keys that differ.
public protocol ConfigurationElement: Codable {
  /// The values of the keys that are not given.
  static var template: Self { get }
}
