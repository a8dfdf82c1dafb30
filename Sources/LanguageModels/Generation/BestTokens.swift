/// A token and the value by which it is compared with others.
struct ScoredToken: Equatable {
  let token: Int32
  let value: Float
}

extension LogitRow {
  /// The tokens of the largest values, the largest first; of equal ones the lower id first. Minus
  /// infinity is never among them.
  func bestTokens(_ limit: Int) -> [ScoredToken] {
    var best: [ScoredToken] = []
    best.reserveCapacity(min(limit, count) + 1)
    var threshold = -Float.infinity
    forEachRun(
      where: { $0 > threshold },
      do: { run in
        for token in run where values[token] > threshold {
          let value = values[token]
          // Behind all equal values: those have lower ids.
          best.insert(
            ScoredToken(token: Int32(token), value: value),
            at: best.partitioningIndex { $0.value < value })
          if best.count > limit { best.removeLast() }
          if best.count == limit { threshold = best[limit - 1].value }
        }
      })
    return best
  }
}

extension Array {
  /// The first place from which on the condition holds; it must hold from some place on, and not
  /// before.
  func partitioningIndex(where belongsBehind: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if belongsBehind(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
