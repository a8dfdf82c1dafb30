import Files
import Foundation
import Training

/// The texts that an image is nearest to, or the images that a text is nearest to, best first.
public struct RetrievalRanking {
  /// One of what was found.
  public struct Found: Equatable, Sendable {
    /// Its place among all texts or all images.
    public let place: Int
    public let cosine: Float
    /// Match logit and cosine together; nil where nothing was ranked again.
    public let score: Float?
  }

  /// How many are named where nothing was ranked again.
  private static let usualCount = 10

  /// Those that were ranked again, or the ten nearest by cosine.
  /// - Parameter scores: The score of each, −100 for what was not ranked again; nil without ITM.
  static func best(cosines: [Float], scores: [Float]?) -> [Found] {
    let order = cosines.indices.sorted { first, second in
      let (a, b) = (scores?[first] ?? 0, scores?[second] ?? 0)
      return a == b ? cosines[first] > cosines[second] : a > b
    }
    let judged = scores.map { scores in order.prefix { scores[$0] > -100 } }
    return (judged ?? order.prefix(usualCount)).map {
      Found(place: $0, cosine: cosines[$0], score: scores?[$0])
    }
  }
}

extension RetrievalEvaluation.Result {
  /// A JSON object for each image, `{"id", "image", "ranked": [{"text", "cosine", "score"}], "truth"}`,
  /// then for each text, `{"id", "ranked": [{"image", …}], "text"}`.
  func rankingLines() throws -> [String] {
    let (images, texts) = (set.images, set.texts)
    let truths = Dictionary(grouping: texts, by: \.imageId)
    func rankings(_ cosines: [[Float]], _ scores: [[Float]]?) -> [[RetrievalRanking.Found]] {
      cosines.enumerated().map { RetrievalRanking.best(cosines: $1, scores: scores?[$0]) }
    }
    let byImage = try rankings(cosines.byImage, scores?.byImage).enumerated().map { place, found in
      try JSONLine.text(naming: [images[place].path]) { names in
        ImageLine(
          id: names[0], image: names[0],
          ranked: found.map { .init(text: texts[$0.place].text, of: $0) },
          truth: (truths[images[place].id] ?? []).map(\.text))
      }
    }
    let byText = try rankings(cosines.byText, scores?.byText).enumerated().map { place, found in
      try JSONLine.text(naming: found.map { images[$0.place].path }) { names in
        TextLine(
          id: texts[place].text, ranked: zip(names, found).map { .init(image: $0, of: $1) },
          text: texts[place].text)
      }
    }
    return byImage + byText
  }

  private struct ImageLine: Encodable {
    let id: String
    let image: String
    let ranked: [Entry]
    let truth: [String]
  }

  private struct TextLine: Encodable {
    let id: String
    let ranked: [Entry]
    let text: String
  }

  private struct Entry: Encodable {
    var text: String?
    var image: String?
    let cosine: Float
    let score: Float?

    init(text: String? = nil, image: String? = nil, of found: RetrievalRanking.Found) {
      (self.text, self.image) = (text, image)
      (cosine, score) = (found.cosine, found.score)
    }
  }
}
