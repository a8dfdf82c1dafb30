/// What a file gave to a model.
public struct LoadReport: Equatable, Sendable {
  /// Parameters that the file has no numbers for; they keep their starting values.
  public var missing: [String]
  /// What the file holds and no parameter took.
  public var unused: [String]

  public init(missing: [String] = [], unused: [String] = []) {
    self.missing = missing
    self.unused = unused
  }
}
