/// How often a right answer is among the first K, both ways.
public struct RetrievalScores: Equatable, Sendable {
  /// R@1, R@5 and R@10, in percent: the share of images with one of their texts among the first K.
  public var imageToText: [Double]
  /// The share of texts with their image among the first K.
  public var textToImage: [Double]

  public static let ranks = [1, 5, 10]

  /// The mean of all six.
  public var mean: Double {
    let all = imageToText + textToImage
    return all.reduce(0, +) / Double(all.count)
  }
}

extension RetrievalScores {
  /// - Parameters:
  ///   - imageToText: The score of each text for each image, row by row, `[images, texts]`.
  ///   - textToImage: The score of each image for each text, `[texts, images]`.
  ///   - imageIds: The id of each image; several files of one image may share an id.
  ///   - textIds: The id of the image that each text belongs to.
  public init(
    imageToText: [[Float]], textToImage: [[Float]], imageIds: [Int64], textIds: [Int64]
  ) {
    let imageRanks = imageToText.enumerated().map { image, scores in
      Self.rank(scores) { textIds[$0] == imageIds[image] }
    }
    let textRanks = textToImage.enumerated().map { text, scores in
      Self.rank(scores) { imageIds[$0] == textIds[text] }
    }
    self.init(imageToText: Self.recalls(imageRanks), textToImage: Self.recalls(textRanks))
  }

  /// What guessing reaches: the chance that one of the right answers is among K drawn at random.
  public static func chance(imageIds: [Int64], textIds: [Int64]) -> RetrievalScores {
    RetrievalScores(
      imageToText: chance(of: imageIds, among: textIds),
      textToImage: chance(of: textIds, among: imageIds))
  }

  /// The mean over the questions, given the ids of questions and answers.
  private static func chance(of questions: [Int64], among answers: [Int64]) -> [Double] {
    var right: [Int64: Int] = [:]
    for id in answers { right[id, default: 0] += 1 }
    return ranks.map { rank in
      let sum = questions.reduce(0) {
        $0 + hit(rank, right: right[$1] ?? 0, of: answers.count)
      }
      return 100 * sum / Double(max(1, questions.count))
    }
  }

  /// 1 − the chance that all of `drawn` picks miss the `right` ones of `count`.
  private static func hit(_ drawn: Int, right: Int, of count: Int) -> Double {
    var miss = 1.0
    for pick in 0..<min(drawn, count) {
      miss *= max(0, Double(count - right - pick)) / Double(count - pick)
    }
    return 1 - miss
  }

  /// How many answers do not score below the best right one: equal scores, and those that are not
  /// numbers, count as better, so that a model which scores everything alike does not look good.
  private static func rank(_ scores: [Float], isRight: (Int) -> Bool) -> Int {
    var best = -Float.infinity
    for (index, score) in scores.enumerated() where isRight(index) { best = max(best, score) }
    return scores.enumerated().reduce(0) {
      $0 + (!($1.element < best) && !isRight($1.offset) ? 1 : 0)
    }
  }

  private static func recalls(_ found: [Int]) -> [Double] {
    ranks.map { rank in
      found.isEmpty ? 0 : 100 * Double(found.filter { $0 < rank }.count) / Double(found.count)
    }
  }
}
