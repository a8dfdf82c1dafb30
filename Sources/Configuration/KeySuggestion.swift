/// Finds the name that somebody who wrote another one probably meant.
enum KeySuggestion {
  /// The candidate nearest to `name`, the first of equals, or nil where none is near: within a third
  /// of its letters. Case, `_` and `-` do not count, so that `batch_size` is `batchSize`.
  static func nearest(to name: String, in candidates: [String]) -> String? {
    let letters = folded(name)
    // Longer than any key or path; what a hostile file writes must not be compared at length.
    guard letters.count <= 100 else { return nil }
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
      let other = folded(candidate)
      let distance = distance(letters, other)
      guard distance <= max(1, max(letters.count, other.count) / 3) else { continue }
      if best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
    }
    return best?.candidate
  }

  private static func folded(_ name: String) -> [Character] {
    name.prefix(200).lowercased().filter { $0 != "_" && $0 != "-" }.map { $0 }
  }

  /// The number of letters to insert, delete, replace, or swap with their neighbour, that turns one
  /// word into the other (Damerau 1964; restricted to one edit of each swapped pair).
  static func distance(_ first: [Character], _ second: [Character]) -> Int {
    var beforePrevious: [Int] = []
    var previous = Array(0...second.count)
    for (row, letter) in first.enumerated() {
      var current = [row + 1]
      for (column, other) in second.enumerated() {
        let replaced = previous[column] + (letter == other ? 0 : 1)
        var least = min(replaced, previous[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, letter == second[column - 1], first[row - 1] == other {
          least = min(least, beforePrevious[column - 1] + 1)
        }
        current.append(least)
      }
      (beforePrevious, previous) = (previous, current)
    }
    return previous[second.count]
  }
}
