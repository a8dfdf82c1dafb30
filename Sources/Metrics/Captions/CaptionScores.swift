/// How well captions fit the references of their images: BLEU-1 to BLEU-4, ROUGE-L and CIDEr-D, the
/// numbers of the public COCO evaluation (Chen et al. 2015; pycocoevalcap).
///
/// CIDEr-D weighs words by how few images have them in their references, so that every score depends
/// on the whole set. METEOR and SPICE need tables and parsers of their own and are not here.
public struct CaptionScores: Sendable {
  /// BLEU-1 to BLEU-4 of the whole set, `[4]`: of the sums of counts and lengths, not a mean.
  public let bleu: [Double]
  /// The mean of the items' ROUGE-L.
  public let rougeL: Double
  /// The mean of the items' CIDEr-D; 10 at most.
  public let cider: Double
  /// BLEU-1 to BLEU-4 of each item, `[items][4]`.
  public let itemBLEU: [[Double]]
  /// ROUGE-L of each item, `[items]`.
  public let itemRougeL: [Double]
  /// CIDEr-D of each item, `[items]`.
  public let itemCIDEr: [Double]

  /// - Parameters:
  ///   - references: What people say of each image, `[items][1...]`; split into tokens here.
  ///   - candidates: What is judged, one for each image, `[items]`; an empty one scores next to 0.
  /// - Precondition: There are as many candidates as items, at least one, and no item is without
  ///   references.
  public init(references: [[String]], candidates: [String]) {
    var tokenizer = PTBTokenizer()
    var rest = tokenizer.tokenize(references.flatMap { $0 })[...]
    let tokenized = references.map { item in
      defer { rest = rest.dropFirst(item.count) }
      return Array(rest.prefix(item.count))
    }
    self.init(
      tokenizedReferences: tokenized, tokenizedCandidates: tokenizer.tokenize(candidates))
  }

  /// - Parameters:
  ///   - tokenizedReferences: Tokens with a space between two, `[items][1...]`.
  ///   - tokenizedCandidates: The same, `[items]`.
  /// - Precondition: There are as many candidates as items, at least one, and no item is without
  ///   references.
  public init(tokenizedReferences: [[String]], tokenizedCandidates: [String]) {
    precondition(
      tokenizedReferences.count == tokenizedCandidates.count,
      "\(tokenizedReferences.count) items with references, \(tokenizedCandidates.count) candidates")
    precondition(!tokenizedReferences.isEmpty, "there are no captions to score")
    precondition(
      tokenizedReferences.allSatisfy { !$0.isEmpty }, "an item has no references")
    var vocabulary = CaptionVocabulary()
    let items = zip(tokenizedReferences, tokenizedCandidates).map { references, candidate in
      ScoredItem(
        references: references.map { vocabulary.caption($0) },
        candidate: vocabulary.caption(candidate))
    }
    (bleu, itemBLEU) = BLEU.scores(of: items)
    itemRougeL = items.map(RougeL.score)
    itemCIDEr = CIDEr.scores(of: items, nGramCount: vocabulary.nGramCount)
    rougeL = itemRougeL.reduce(0, +) / Double(items.count)
    cider = itemCIDEr.reduce(0, +) / Double(items.count)
  }
}

/// An image's references and the caption that is judged.
struct ScoredItem {
  var references: [CountedCaption]
  var candidate: CountedCaption
}

/// A caption as numbers.
struct CountedCaption {
  /// The words between single spaces, as ROUGE-L takes them: an empty caption is one empty word.
  var words: [Int]
  /// The number of words as BLEU and CIDEr take them, between white space of any kind.
  var length: Int
  /// How often each n-gram occurs, for n from 1 to 4, by its number.
  var counts: [[(nGram: Int, count: Int)]]
}

/// Numbers words and n-grams in order of first appearance.
struct CaptionVocabulary {
  static let longestNGram = 4

  // By their bytes: texts that only look alike are different words.
  private var words = Numbering<[UInt8]>()
  private var nGrams = Numbering<UInt64>()

  /// How many different n-grams there were.
  var nGramCount: Int { nGrams.count }

  mutating func caption(_ text: String) -> CountedCaption {
    let bySpace = text.utf8.split(separator: 0x20, omittingEmptySubsequences: false)
      .map { words.number(of: Array($0)) }
    let byAnySpace = text.unicodeScalars.split(whereSeparator: \.properties.isWhitespace)
      .map { words.number(of: Array(String($0).utf8)) }
    return CountedCaption(words: bySpace, length: byAnySpace.count, counts: counts(of: byAnySpace))
  }

  private mutating func counts(of words: [Int]) -> [[(nGram: Int, count: Int)]] {
    // The number of the n-gram that begins at each place; one longer is it and another word.
    var beginnings = [Int](repeating: 0, count: words.count)
    return (1...Self.longestNGram).map { length in
      guard words.count >= length else { return [] }
      for start in 0...(words.count - length) {
        let prefix = length == 1 ? 0 : UInt64(beginnings[start] + 1)
        beginnings[start] = nGrams.number(
          of: prefix << 32 | UInt64(words[start + length - 1]))
      }
      var found: [(nGram: Int, count: Int)] = []
      for nGram in beginnings[...(words.count - length)].sorted() {
        if found.last?.nGram == nGram {
          found[found.count - 1].count += 1
        } else {
          found.append((nGram, 1))
        }
      }
      return found
    }
  }
}

/// Numbers things in order of first appearance.
private struct Numbering<Thing: Hashable> {
  private var numbers: [Thing: Int] = [:]

  var count: Int { numbers.count }

  mutating func number(of thing: Thing) -> Int {
    if let known = numbers[thing] { return known }
    let number = numbers.count
    numbers[thing] = number
    return number
  }
}
