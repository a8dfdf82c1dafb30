import Testing

@testable import Training

@Suite struct RetrievalScoresTests {
  /// Three images; the first has two texts.
  let imageOfText = [0, 0, 1, 2]

  @Test func countsTheBestRightAnswer() {
    let byImage: [[Float]] = [[0.1, 0.9, 0.5, 0.2], [0.9, 0.8, 0.7, 0.1], [0, 0, 0, 1]]
    let byText: [[Float]] = [[0.1, 0.9, 0], [0.9, 0.8, 0], [0.5, 0.7, 0], [0.2, 0.1, 1]]
    let scores = RetrievalScores(
      imageToText: byImage, textToImage: byText, imageOfText: imageOfText)
    #expect(scores.imageToText == [200.0 / 3, 100, 100])
    #expect(scores.textToImage == [75, 100, 100])
    #expect(abs(scores.mean - (200.0 / 3 + 475) / 6) < 1e-9)
  }

  /// A model that scores everything alike has found nothing.
  @Test func equalScoresAreNoHit() {
    let flat = RetrievalScores(
      imageToText: .init(repeating: .init(repeating: 1, count: 4), count: 3),
      textToImage: .init(repeating: .init(repeating: 1, count: 3), count: 4),
      imageOfText: imageOfText)
    #expect(flat.imageToText[0] == 0)
    #expect(flat.textToImage[0] == 0)
  }

  @Test func chance() {
    let chance = RetrievalScores.chance(imageCount: 3, imageOfText: imageOfText)
    #expect(abs(chance.textToImage[0] - 100.0 / 3) < 1e-9)
    // (1/2 + 1/4 + 1/4) / 3
    #expect(abs(chance.imageToText[0] - 100.0 / 3) < 1e-9)
    #expect(chance.textToImage[1] == 100)
  }
}
