import Testing

@testable import Metrics

@Suite struct RetrievalScoresTests {
  /// Three images; the first has two texts.
  let imageIds: [Int64] = [10, 11, 12]
  let textIds: [Int64] = [10, 10, 11, 12]

  @Test func countsTheBestRightAnswer() {
    let byImage: [[Float]] = [[0.1, 0.9, 0.5, 0.2], [0.9, 0.8, 0.7, 0.1], [0, 0, 0, 1]]
    let byText: [[Float]] = [[0.1, 0.9, 0], [0.9, 0.8, 0], [0.5, 0.7, 0], [0.2, 0.1, 1]]
    let scores = RetrievalScores(
      imageToText: byImage, textToImage: byText, imageIds: imageIds, textIds: textIds)
    #expect(scores.imageToText == [200.0 / 3, 100, 100])
    #expect(scores.textToImage == [75, 100, 100])
    #expect(abs(scores.mean - (200.0 / 3 + 475) / 6) < 1e-9)
  }

  /// A model that scores everything alike, or gives no numbers at all, has found nothing.
  @Test(arguments: [1, Float.nan])
  func equalScoresAreNoHit(_ score: Float) {
    let flat = RetrievalScores(
      imageToText: .init(repeating: .init(repeating: score, count: 4), count: 3),
      textToImage: .init(repeating: .init(repeating: score, count: 3), count: 4),
      imageIds: imageIds, textIds: textIds)
    #expect(flat.imageToText[0] == 0)
    #expect(flat.textToImage[0] == 0)
  }

  /// Two files of one image: either is a right answer.
  @Test func filesOfOneImageAreBothRight() {
    let scores = RetrievalScores(
      imageToText: [[0.9, 0], [0.8, 0], [0, 1]], textToImage: [[0.9, 0.8, 0], [0, 0, 1]],
      imageIds: [5, 5, 6], textIds: [5, 6])
    #expect(scores.imageToText[0] == 100)
    #expect(scores.textToImage[0] == 100)
  }

  @Test func chance() {
    let chance = RetrievalScores.chance(imageIds: imageIds, textIds: textIds)
    #expect(abs(chance.textToImage[0] - 100.0 / 3) < 1e-9)
    // (1/2 + 1/4 + 1/4) / 3
    #expect(abs(chance.imageToText[0] - 100.0 / 3) < 1e-9)
    #expect(chance.textToImage[1] == 100)
  }
}
