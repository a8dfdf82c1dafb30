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

  /// - Parameters:
  ///   - imageToText: The score of each text for each image, row by row, `[images, texts]`.
  ///   - textToImage: The score of each image for each text, `[texts, images]`.
  ///   - imageOfText: Which image each text belongs to.
  public init(
    imageToText: [[Float]], textToImage: [[Float]], imageOfText: [Int]
  ) {
    let imageRanks = imageToText.enumerated().map { image, scores in
      RetrievalScores.rank(scores) { imageOfText[$0] == image }
    }
    let textRanks = textToImage.enumerated().map { text, scores in
      RetrievalScores.rank(scores) { imageOfText[text] == $0 }
    }
    self.imageToText = RetrievalScores.recalls(imageRanks)
    self.textToImage = RetrievalScores.recalls(textRanks)
  }

  /// What guessing reaches: the chance that one of the right answers is among K drawn at random.
  public static func chance(imageCount: Int, imageOfText: [Int]) -> RetrievalScores {
    var counts = [Int](repeating: 0, count: imageCount)
    for image in imageOfText { counts[image] += 1 }
    let texts = imageOfText.count
    let imageToText = ranks.map { rank in
      100 * counts.reduce(0) { $0 + hit(rank, right: $1, of: texts) } / Double(max(1, imageCount))
    }
    let textToImage = ranks.map { 100 * hit($0, right: 1, of: imageCount) }
    return RetrievalScores(imageToText: imageToText, textToImage: textToImage)
  }

  private init(imageToText: [Double], textToImage: [Double]) {
    self.imageToText = imageToText
    self.textToImage = textToImage
  }

  /// 1 − the chance that all of `drawn` picks miss the `right` ones of `count`.
  private static func hit(_ drawn: Int, right: Int, of count: Int) -> Double {
    var miss = 1.0
    for pick in 0..<min(drawn, count) {
      miss *= max(0, Double(count - right - pick)) / Double(count - pick)
    }
    return 1 - miss
  }

  /// How many answers score better than the best right one; equal scores count as better, so that a
  /// model that gives every answer one score does not look good.
  private static func rank(_ scores: [Float], isRight: (Int) -> Bool) -> Int {
    var best = -Float.infinity
    for (index, score) in scores.enumerated() where isRight(index) { best = max(best, score) }
    return scores.enumerated().reduce(0) {
      $0 + ($1.element >= best && !isRight($1.offset) ? 1 : 0)
    }
  }

  private static func recalls(_ found: [Int]) -> [Double] {
    ranks.map { rank in
      found.isEmpty ? 0 : 100 * Double(found.filter { $0 < rank }.count) / Double(found.count)
    }
  }
}
