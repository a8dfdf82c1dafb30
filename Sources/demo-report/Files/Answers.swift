import Foundation

/// What `evaluate caption --answers` and `evaluate vqa --answers` write of an image.
struct AnswerLine: Decodable {
  let id: String
  let image: String
  let text: String
  /// Captions or answers of people.
  let truth: [String]
}

/// What `evaluate retrieval --answers` writes: of each image, then of each text.
enum RankingLine: Decodable {
  case image(ImageRanking)
  case text(TextRanking)

  private enum Keys: CodingKey { case image }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Keys.self)
    self =
      try container.contains(.image)
      ? .image(ImageRanking(from: decoder)) : .text(TextRanking(from: decoder))
  }
}

/// A text that was ranked for an image, or an image for a text.
struct Candidate: Equatable {
  let name: String
  let cosine: Double
  /// With the match logit; nil where nothing was ranked again.
  let score: Double?
}

struct ImageRanking: Decodable {
  let image: String
  /// Texts, best first.
  let ranked: [Candidate]
  let truth: [String]

  private enum Keys: CodingKey { case image, ranked, truth }
  private struct Entry: Decodable {
    let text: String
    let cosine: Double
    let score: Double?
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Keys.self)
    image = try container.decode(String.self, forKey: .image)
    truth = try container.decode([String].self, forKey: .truth)
    ranked = try container.decode([Entry].self, forKey: .ranked).map {
      Candidate(name: $0.text, cosine: $0.cosine, score: $0.score)
    }
    guard !truth.isEmpty else {
      throw DecodingError.dataCorruptedError(
        forKey: .truth, in: container, debugDescription: "expected a caption, found none")
    }
  }

  /// Whether one of the image's own texts is the best.
  var findsTruth: Bool { ranked.first.map { truth.contains($0.name) } ?? false }
}

struct TextRanking: Decodable {
  let text: String
  /// Images, best first.
  let ranked: [Candidate]

  private enum Keys: CodingKey { case text, ranked }
  private struct Entry: Decodable {
    let image: String
    let cosine: Double
    let score: Double?
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Keys.self)
    text = try container.decode(String.self, forKey: .text)
    ranked = try container.decode([Entry].self, forKey: .ranked).map {
      Candidate(name: $0.image, cosine: $0.cosine, score: $0.score)
    }
  }
}

/// The rankings of a whole list.
struct Rankings {
  let file: String
  let images: [ImageRanking]
  let texts: [TextRanking]

  /// - Throws: ``InputError``.
  init(file: String) throws {
    self.file = file
    let lines = try InputFile(path: file).records(RankingLine.self).map(\.record)
    images = lines.compactMap { if case .image(let ranking) = $0 { ranking } else { nil } }
    texts = lines.compactMap { if case .text(let ranking) = $0 { ranking } else { nil } }
  }
}

/// A record of a list of images, such as `heldout-hard.jsonl`.
struct ListedImage: Decodable {
  let image: String
}

/// A record of `questions.json`.
struct ListedQuestion: Decodable {
  let id: String
  let image: String
  let question: String

  private enum CodingKeys: String, CodingKey {
    case id = "question_id"
    case image, question
  }
}
