/// ROUGE-L (Lin 2004) as pycocoevalcap has it.
///
/// `(1 + β²) P R / (R + β² P)` with β = 1.2, where `P` and `R` are the length of the longest common
/// subsequence over that of the candidate and of the reference: the best of each over all
/// references, which need not be the same one's.
enum RougeL {
  private static let beta = 1.2

  static func score(_ item: ScoredItem) -> Double {
    var precision = 0.0
    var recall = 0.0
    for reference in item.references {
      let common = Double(commonLength(item.candidate.words, reference.words))
      precision = max(precision, common / Double(item.candidate.words.count))
      recall = max(recall, common / Double(reference.words.count))
    }
    guard precision > 0, recall > 0 else { return 0 }
    let square = beta * beta
    return (1 + square) * precision * recall / (recall + square * precision)
  }

  /// The length of the longest common subsequence.
  private static func commonLength(_ first: [Int], _ second: [Int]) -> Int {
    // The lengths for all beginnings of the second against the part of the first that is read.
    var lengths = [Int](repeating: 0, count: second.count + 1)
    for word in first {
      var diagonal = 0
      for (index, other) in second.enumerated() {
        let above = lengths[index + 1]
        lengths[index + 1] = word == other ? diagonal + 1 : max(above, lengths[index])
        diagonal = above
      }
    }
    return lengths[second.count]
  }
}
