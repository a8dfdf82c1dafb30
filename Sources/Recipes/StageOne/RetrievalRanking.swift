import Files
import Foundation
import Training

extension RetrievalEvaluation.Result {
  /// One of what was found: its place among all texts or all images, its cosine, and match logit and cosine
  /// together, nil where nothing was ranked again.
  private typealias Found = (place: Int, cosine: Float, score: Float?)

  /// How many are named where nothing was ranked again.
  private static let usualCount = 10

  /// The texts that an image is nearest to, or the images that a text is nearest to, best first: those that
  /// were ranked again, or the ten nearest by cosine.
  /// - Parameter scores: The score of each, −100 for what was not ranked again; nil without ITM.
  private static func best(cosines: [Float], scores: [Float]?) -> [Found] {
    let order = cosines.indices.sorted { first, second in
      let (a, b) = (scores?[first] ?? 0, scores?[second] ?? 0)
      return a == b ? cosines[first] > cosines[second] : a > b
    }
    let judged = scores.map { scores in order.prefix { scores[$0] > -100 } }
    return (judged ?? order.prefix(usualCount)).map { ($0, cosines[$0], scores?[$0]) }
  }

  /// A JSON object for each image, `{"id", "image", "ranked": [{"text", "cosine", "score"}], "truth"}`,
  /// then for each text, `{"id", "ranked": [{"image", …}], "text"}`.
  func rankingLines() throws -> [String] {
    let (images, texts) = (set.images, set.texts)
    let truths = Dictionary(grouping: texts, by: \.imageId)
    func rankings(_ cosines: [[Float]], _ scores: [[Float]]?) -> [[Found]] {
      cosines.enumerated().map { Self.best(cosines: $1, scores: scores?[$0]) }
    }
    let byImage = try rankings(cosines.byImage, scores?.byImage).enumerated().map { place, found in
      try JSONLine.text(naming: [images[place].path]) { names in
        Line(
          id: names[0], image: names[0],
          ranked: found.map {
            Entry(text: texts[$0.place].text, cosine: $0.cosine, score: $0.score)
          },
          truth: (truths[images[place].id] ?? []).map(\.text))
      }
    }
    let byText = try rankings(cosines.byText, scores?.byText).enumerated().map { place, found in
      try JSONLine.text(naming: found.map { images[$0.place].path }) { names in
        Line(
          id: texts[place].text,
          ranked: zip(names, found).map { Entry(image: $0, cosine: $1.cosine, score: $1.score) },
          text: texts[place].text)
      }
    }
    return byImage + byText
  }

  /// Of an image with its texts, or of a text.
  private struct Line: Encodable {
    let id: String
    var image: String?
    let ranked: [Entry]
    var text: String?
    var truth: [String]?
  }

  private struct Entry: Encodable {
    var text: String?
    var image: String?
    let cosine: Float
    let score: Float?
  }
}
