import Foundation

/// BLEU (Papineni et al. 2002) with pycocoevalcap's constants.
///
/// `BLEU-n = (p1 … pn)^(1/n) · min(1, exp(1 − r/c))`, where `p` is the share of the candidate's
/// n-grams that a reference has (counted at most as often as the one that has it most often), `c` the
/// candidate's length and `r` that of the reference nearest to it, of two the shorter. Instead of
/// smoothing, `tiny` above and `small` below the line of a division.
enum BLEU {
  private static let small = 1e-9
  private static let tiny = 1e-15

  /// Counts that may be added up.
  private struct Counts {
    var length = 0
    var referenceLength = 0
    var guesses = [Int](repeating: 0, count: CaptionVocabulary.longestNGram)
    var matches = [Int](repeating: 0, count: CaptionVocabulary.longestNGram)

    static func += (left: inout Counts, right: Counts) {
      left.length += right.length
      left.referenceLength += right.referenceLength
      for index in left.guesses.indices {
        left.guesses[index] += right.guesses[index]
        left.matches[index] += right.matches[index]
      }
    }
  }

  /// - Returns: BLEU-1 to BLEU-4 of all items together, `[4]`, and of each, `[items][4]`.
  static func scores(of items: [ScoredItem]) -> (corpus: [Double], items: [[Double]]) {
    var total = Counts()
    let each = items.map { item in
      let own = counts(of: item)
      total += own
      return scores(own)
    }
    return (scores(total), each)
  }

  private static func scores(_ counts: Counts) -> [Double] {
    let ratio =
      (Double(counts.length) + tiny) / (Double(counts.referenceLength) + small)
    let penalty = ratio < 1 ? exp(1 - 1 / ratio) : 1
    var product = 1.0
    return counts.guesses.indices.map { index in
      product *= (Double(counts.matches[index]) + tiny) / (Double(counts.guesses[index]) + small)
      return pow(product, 1 / Double(index + 1)) * penalty
    }
  }

  private static func counts(of item: ScoredItem) -> Counts {
    let length = item.candidate.length
    var counts = Counts(length: length)
    counts.referenceLength =
      item.references.map(\.length).min { (abs($0 - length), $0) < (abs($1 - length), $1) } ?? 0
    for index in 0..<CaptionVocabulary.longestNGram {
      var most: [Int: Int] = [:]
      for reference in item.references {
        for (nGram, count) in reference.counts[index] {
          most[nGram] = max(most[nGram] ?? 0, count)
        }
      }
      counts.guesses[index] = max(0, length - index)
      counts.matches[index] = item.candidate.counts[index].reduce(0) {
        $0 + min($1.count, most[$1.nGram] ?? 0)
      }
    }
    return counts
  }
}
