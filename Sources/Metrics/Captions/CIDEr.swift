import Foundation

/// CIDEr-D (Vedantam et al. 2015) as pycocoevalcap has it.
///
/// A caption is, for each n from 1 to 4, a vector of `count · log(items / df)` over its n-grams, where
/// `df` counts the items with the n-gram in a reference (1 at least). The score is 10 times the mean
/// over references and n of `Σ min(c, r) r / (|c| |r|) · exp(−(lc − lr)² / (2 · 6²))`. The lengths `lc`
/// and `lr` are the numbers of bigrams, as in the original.
enum CIDEr {
  private static let sigma = 6.0

  private struct Vector {
    /// Weights by n-gram, in order of the n-grams' numbers, for each n.
    var weights: [[(nGram: Int, weight: Double)]]
    var norms: [Double]
    var length: Int
  }

  /// - Parameter nGramCount: One more than the largest number of an n-gram.
  /// - Returns: The score of each item.
  static func scores(of items: [ScoredItem], nGramCount: Int) -> [Double] {
    let rarity = rarities(items, nGramCount)
    return items.map { item in
      let candidate = vector(item.candidate, rarity)
      let sum = item.references.reduce(0) {
        $0 + similarity(candidate, vector($1, rarity))
      }
      return 10 * sum / Double(item.references.count)
    }
  }

  /// `log(items / df)` of each n-gram.
  private static func rarities(_ items: [ScoredItem], _ nGramCount: Int) -> [Double] {
    var frequencies = [Int](repeating: 0, count: nGramCount)
    var lastItem = [Int](repeating: -1, count: nGramCount)
    for (number, item) in items.enumerated() {
      for reference in item.references {
        for (nGram, _) in reference.counts.joined() where lastItem[nGram] != number {
          lastItem[nGram] = number
          frequencies[nGram] += 1
        }
      }
    }
    let all = log(Double(items.count))
    return frequencies.map { all - log(Double(max(1, $0))) }
  }

  private static func vector(_ caption: CountedCaption, _ rarity: [Double]) -> Vector {
    let weights = caption.counts.map { counts in
      counts.map { (nGram: $0.nGram, weight: Double($0.count) * rarity[$0.nGram]) }
    }
    return Vector(
      weights: weights,
      norms: weights.map { $0.reduce(0) { $0 + $1.weight * $1.weight }.squareRoot() },
      length: caption.counts[1].reduce(0) { $0 + $1.count })
  }

  /// The mean over n.
  private static func similarity(_ candidate: Vector, _ reference: Vector) -> Double {
    let difference = Double(candidate.length - reference.length)
    let penalty = exp(-difference * difference / (2 * sigma * sigma))
    let sum = candidate.weights.indices.reduce(0.0) { sum, index in
      let common = overlap(candidate.weights[index], reference.weights[index])
      let norms = candidate.norms[index] * reference.norms[index]
      return sum + (norms == 0 ? common : common / norms) * penalty
    }
    return sum / Double(candidate.weights.count)
  }

  /// `Σ min(c, r) r`, of two lists in the same order.
  private static func overlap(
    _ candidate: [(nGram: Int, weight: Double)], _ reference: [(nGram: Int, weight: Double)]
  ) -> Double {
    var sum = 0.0
    var (left, right) = (0, 0)
    while left < candidate.count, right < reference.count {
      if candidate[left].nGram == reference[right].nGram {
        sum += min(candidate[left].weight, reference[right].weight) * reference[right].weight
        left += 1
        right += 1
      } else if candidate[left].nGram < reference[right].nGram {
        left += 1
      } else {
        right += 1
      }
    }
    return sum
  }
}
