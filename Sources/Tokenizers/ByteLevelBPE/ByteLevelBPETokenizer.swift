/// The byte-level tokenizer of GPT-2 (Radford et al. 2019, §2.2), OPT, SmolLM and Llama 3, token for
/// token that of the Hugging Face tokenizers library.
///
/// Text is cut into words by a pattern (`WordPattern`); the bytes of a word are tokens, which merge
/// pair by pair (`BytePairMerger`). Added and special tokens written out in the text become
/// themselves. A byte without a token of its own becomes the unknown token of models that name one,
/// and is dropped otherwise.
public struct ByteLevelBPETokenizer: LanguageTokenizer {
  public let vocabularySize: Int
  public let startId: Int32?
  public let endId: Int32
  public let padId: Int32

  /// The bytes that each id stands for; none for an id without a token.
  private let texts: [[UInt8]]
  private let specialIds: Set<Int32>
  private let literals: TokenTrie
  private let preTokenizer: PreTokenizer
  /// The token of each byte, or `absent`.
  private let byteIds: [Int32]
  private let merges: MergeTable
  /// The tokens by the bytes they stand for, where whole words are looked up.
  private let words: [[UInt8]: Int32]

  private static let absent: Int32 = -1

  /// - Parameter templateStart: The token that the file itself puts in front of a text.
  init(_ model: BytePairModel, special: SpecialTokens, templateStart: Int32? = nil) throws {
    let vocabulary = model.vocabulary
    guard let end = special.end else {
      throw TokenizerError.unnamedToken(file: vocabulary.file, role: "end")
    }
    if special.addsStart && special.start == nil {
      throw TokenizerError.unnamedToken(file: vocabulary.file, role: "start")
    }
    endId = try vocabulary.id(of: end)
    padId = try special.pad.map(vocabulary.id(of:)) ?? endId
    let start = try special.start.map(vocabulary.id(of:))
    startId = templateStart ?? (special.addsStart ? start : nil)

    let named =
      try special.others.map(vocabulary.id(of:))
      + [start, templateStart, endId, padId].compactMap { $0 }
    specialIds = Set(named + model.addedTokens.filter(\.isSpecial).map(\.id))
    let standingForThemselves = specialIds.union(model.addedTokens.map(\.id))
    literals = try TokenTrie(literals: standingForThemselves, of: vocabulary)
    var words: [[UInt8]: Int32] = [:]
    texts = vocabulary.tokens.enumerated().map { id, token in
      guard let token else { return [] }
      // What the byte alphabet does not spell stands for itself too, as in the library.
      guard !standingForThemselves.contains(Int32(id)), let bytes = ByteAlphabet.bytes(of: token)
      else { return token }
      if model.ignoresMergesOfWords { words[bytes] = Int32(id) }
      return bytes
    }
    self.words = words
    vocabularySize = texts.count
    preTokenizer = model.preTokenizer
    merges = model.merges
    byteIds = ByteAlphabet.scalars.map {
      vocabulary.id(of: Array($0.utf8)) ?? model.unknownId ?? Self.absent
    }
  }

  public func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String {
    var bytes: [UInt8] = []
    for id in ids where texts.indices.contains(Int(id)) {
      if skippingSpecialTokens && specialIds.contains(id) { continue }
      bytes += texts[Int(id)]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension ByteLevelBPETokenizer {
  public func encode(_ text: String) -> [Int32] {
    let space = UInt8(ascii: " ")
    var merger = BytePairMerger(merges)
    return literals.encode(text) { stretch, ids in
      guard preTokenizer.addsPrefixSpace, stretch[0] != space else {
        return appendWords(of: stretch, using: &merger, to: &ids)
      }
      ([space] + stretch).withUnsafeBufferPointer {
        appendWords(of: $0, using: &merger, to: &ids)
      }
    }
  }

  private func appendWords(
    of text: UnsafeBufferPointer<UInt8>, using merger: inout BytePairMerger,
    to ids: inout [Int32]
  ) {
    var wordIds: [Int32] = []
    preTokenizer.forEachWord(of: text) { word in
      if !words.isEmpty, let id = words[Array(text[word])] {
        ids.append(id)
        return
      }
      wordIds.removeAll(keepingCapacity: true)
      for byte in text[word] {
        let id = byteIds[Int(byte)]
        if id != Self.absent { wordIds.append(id) }
      }
      merger.merge(wordIds, into: &ids)
    }
  }
}
