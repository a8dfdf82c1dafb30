/// Watches that not too many samples of an epoch are unreadable.
///
/// A few broken files must not end a run, a wrong folder must. Of `seen` samples,
/// `share * seen + 3 * sqrt(share * seen)` may be bad: the accepted share and three standard
/// deviations of such a count, so that bad luck early in an epoch is no error. Nothing is judged
/// before 20 samples were seen, unless the share is 0: then the first bad sample is an error.
/// Counts begin anew with each epoch, and where a run is resumed.
struct BadSampleCount {
  private static let minimumSeen = 20
  private static let keptReasons = 3

  private let share: Double
  private(set) var seen = 0
  private(set) var bad = 0
  private(set) var lastReasons: [String] = []

  init(share: Double) { self.share = share }

  mutating func addReadable() { seen += 1 }

  /// - Throws: ``DatasetError/tooManyBadSamples(bad:seen:limit:lastReasons:)``.
  mutating func add(_ skipped: SkippedSample) throws {
    seen += 1
    bad += 1
    lastReasons.append("\(skipped.path) \(skipped.reason)")
    lastReasons = lastReasons.suffix(Self.keptReasons)
    let expected = share * Double(seen)
    let limit = Int(expected + 3 * expected.squareRoot())
    guard seen < Self.minimumSeen && share > 0 || bad <= limit else {
      throw DatasetError.tooManyBadSamples(
        bad: bad, seen: seen, limit: limit, lastReasons: lastReasons)
    }
  }
}
