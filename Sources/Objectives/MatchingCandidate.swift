/// A pair to be judged by image–text matching: places of an image and a text in the whole batch.
package struct MatchingCandidate {
  package enum Kind: Int {
    case match
    case negativeImage
    case negativeText
  }

  package var image: Int
  package let text: Int
  /// The pair of the batch that it stems from.
  package let origin: Int
  package let kind: Kind

  package init(image: Int, text: Int, origin: Int, kind: Kind) {
    self.image = image
    self.text = text
    self.origin = origin
    self.kind = kind
  }

  package var isMatch: Bool { kind == .match }

  /// Own pairs, then (negative image, text), then (image, negative text).
  package static func all(pairs: Int, negatives: HardNegatives) -> [MatchingCandidate] {
    let own = (0..<pairs).map {
      MatchingCandidate(image: $0, text: $0, origin: $0, kind: .match)
    }
    let withImages = negatives.images.enumerated().compactMap { text, image in
      image.map {
        MatchingCandidate(image: $0, text: text, origin: text, kind: .negativeImage)
      }
    }
    let withTexts = negatives.texts.enumerated().compactMap { image, text in
      text.map {
        MatchingCandidate(image: image, text: $0, origin: image, kind: .negativeText)
      }
    }
    return own + withImages + withTexts
  }
}
