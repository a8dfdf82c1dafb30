import Foundation
import TestSupport
import Testing

@testable import Metrics

/// Tokens: string for string those of Stanford's tokenizer and pycocoevalcap.
@Suite struct PTBTokenizerTests {
  private struct Cases: Decodable {
    var captions: [Caption]
    var lists: [List]

    struct Caption: Decodable {
      var text: String
      var tokenised: String
    }

    struct List: Decodable {
      var texts: [String]
      var tokenised: [String]
    }
  }

  private static let file = Goldens.repository.appendingPathComponent(
    "Tests/Fixtures/ptb-tokenizer/cases.json")

  /// By their bytes, since Swift takes differently composed accents for equal.
  private func isSame(_ first: String, _ second: String) -> Bool {
    first.utf8.elementsEqual(second.utf8)
  }

  @Test func everyCaptionOfTheFixture() throws {
    let cases = try JSONDecoder().decode(Cases.self, from: Data(contentsOf: Self.file))
    #expect(cases.captions.count > 100)
    var tokenizer = PTBTokenizer()
    for caption in cases.captions {
      let tokens = tokenizer.tokenize(caption.text)
      #expect(isSame(tokens, caption.tokenised), "\(caption.text): \(tokens)")
    }
    for list in cases.lists {
      let tokens = tokenizer.tokenize(list.texts)
      #expect(tokens.count == list.tokenised.count)
      for (line, expected) in zip(tokens, list.tokenised) {
        #expect(isSame(line, expected), "\(list.texts): \(tokens)")
      }
    }
  }

  @Test func everyCaptionOfTheGoldens() throws {
    let files = Goldens.files(in: "metrics", ending: ".json")
    #expect(!files.isEmpty)
    for file in files {
      let golden = try MetricsGolden(file)
      var tokenizer = PTBTokenizer()
      let references = tokenizer.tokenize(golden.items.flatMap(\.references))
      for (tokens, expected) in zip(references, golden.items.flatMap(\.referencesTokenised)) {
        #expect(isSame(tokens, expected))
      }
      let candidates = tokenizer.tokenize(golden.items.map(\.candidate))
      for (tokens, expected) in zip(candidates, golden.items.map(\.candidateTokenised)) {
        #expect(isSame(tokens, expected))
      }
    }
  }

  @Test func lineBreaksInsideAreSpaces() {
    var tokenizer = PTBTokenizer()
    #expect(tokenizer.tokenize("a dog\nand\r\na cat\u{2028}run") == "a dog and a cat run")
    #expect(tokenizer.tokenize([]) == [])
    #expect(tokenizer.tokenize(["", " ", "\n", "a"]) == ["", "", "", "a"])
  }

  /// Whatever the text is, it ends in as many lines, in time that grows with its length alone.
  @Test func hostileText() {
    var tokenizer = PTBTokenizer()
    var random = SeededGenerator(3)
    let pieces = [
      "<a b", "=\"", "@", "a.", "'", "&", "n't", "12-", "1 1", "(5", "\u{AD}", "\u{300}", ".com/",
      "http://", "😀", "\u{10FFFF}", "\u{0}", "\u{7F}", "…", "’", "--", " ", "\n", "U.S.", "x",
    ]
    let texts = (0..<2000).map { _ in
      (0..<Int.random(in: 0..<40, using: &random)).map { _ in
        pieces.randomElement(using: &random) ?? ""
      }.joined()
    }
    #expect(tokenizer.tokenize(texts).count == texts.count)
    let duration = WorkTime.measure {
      for piece in pieces {
        let line = tokenizer.tokenize(String(repeating: piece, count: 5_000))
        #expect(!line.contains("\n"))
      }
    }
    #expect(duration < .seconds(60))
  }
}

/// Captions, their tokens and their scores.
struct MetricsGolden: Decodable {
  var items: [Item]
  var corpus: [String: Double]

  struct Item: Decodable {
    var references: [String]
    var candidate: String
    var referencesTokenised: [String]
    var candidateTokenised: String
    var scores: [String: Double]
  }

  init(_ file: URL) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    self = try decoder.decode(MetricsGolden.self, from: Data(contentsOf: file))
  }
}
