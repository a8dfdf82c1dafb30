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

  private enum Keys: CodingKey { case image, truth }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Keys.self)
    guard container.contains(.image) else {
      self = .text(try TextRanking(from: decoder))
      return
    }
    let ranking = try ImageRanking(from: decoder)
    guard !ranking.truth.isEmpty else {
      throw DecodingError.dataCorruptedError(
        forKey: .truth, in: container, debugDescription: "expected a caption, found none")
    }
    self = .image(ranking)
  }
}

/// A text that was ranked for an image, or an image for a text.
protocol Candidate: Decodable {
  var name: String { get }
  var cosine: Double { get }
  /// With the match logit; nil where nothing was ranked again.
  var score: Double? { get }
}

struct ImageRanking: Decodable {
  struct Text: Candidate {
    let text: String
    let cosine: Double
    let score: Double?

    var name: String { text }
  }

  let image: String
  /// Best first.
  let ranked: [Text]
  let truth: [String]

  /// Whether one of the image's own texts is the best.
  var findsTruth: Bool { ranked.first.map { truth.contains($0.text) } ?? false }
}

struct TextRanking: Decodable {
  struct Image: Candidate {
    let image: String
    let cosine: Double
    let score: Double?

    var name: String { image }
  }

  let text: String
  /// Best first.
  let ranked: [Image]
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
