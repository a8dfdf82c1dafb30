import Foundation

/// A SentencePiece tokenizer (Kudo and Richardson 2018, arXiv:1808.06226): T5's (`spiece.model`) and
/// Llama's (`tokenizer.model`). Texts are cut by the sentencepiece library.
///
/// The names of control and unknown pieces, such as `</s>`, and of added tokens, such as
/// `<extra_id_0>`, become tokens where a text has them, as in the Hugging Face tokenizers library;
/// sentencepiece alone would cut them like other text. What stands between is cut by itself.
public struct SentencePieceTokenizer: LanguageTokenizer {
  public let vocabularySize: Int
  public let startId: Int32?
  public let endId: Int32
  public let padId: Int32
  public var unknownId: Int32? { model.unknownId }

  private let model: SentencePieceModel
  private let library: SentencePieceLibrary
  /// By id, those of the model and those added behind them.
  private let tokens: [[UInt8]?]
  private let specialIds: Set<Int32>
  private let literals: TokenTrie

  /// - Parameters:
  ///   - modelFile: `spiece.model` or `tokenizer.model`.
  ///   - extraIds: How many tokens `<extra_id_N>` follow the pieces, the one of the largest N first;
  ///     100 for T5.
  ///   - added: Other tokens behind the pieces (`added_tokens.json`).
  ///   - special: What other files say of special tokens; what they leave out is the model's own.
  /// - Throws: `TokenizerError`.
  public init(
    modelFile: URL, extraIds: Int = 0, added: [AddedToken] = [],
    special: SpecialTokens = SpecialTokens(addsStart: true)
  ) throws {
    try self.init(
      TokenizerFile.contents(of: modelFile), file: modelFile.path, extraIds: extraIds, added: added,
      special: special)
  }

  /// - Parameter special: What other files say of special tokens.
  init(_ document: JSONField, special: SpecialTokens) throws {
    let model = try SentencePieceDocument(document)
    var special = special
    if let start = try document.member("post_processor")?.leadingToken() {
      (special.start, special.addsStart) = (.text(start), true)
    }
    try self.init(
      model.modelProto(), file: document.file, extraIds: 0, added: model.addedTokens,
      special: special)
  }

  private init(
    _ bytes: [UInt8], file: String, extraIds: Int, added: [AddedToken], special: SpecialTokens
  ) throws {
    precondition((0...1000).contains(extraIds), "\(extraIds) extra ids")
    let model = try SentencePieceModel(bytes, file: file)
    library = try SentencePieceLibrary(bytes, file: file)
    var names = TokenNames(file: file)
    guard library.pieceCount == model.pieces.count else {
      throw names.place("the model")
        .damaged("\(model.pieces.count) pieces", "\(library.pieceCount)")
    }
    self.model = model
    try names.append(model.pieces)
    let extra = (0..<extraIds).map { number in
      AddedToken(
        text: Array("<extra_id_\(number)>".utf8),
        id: Int32(model.pieces.count + extraIds - 1 - number), isSpecial: true)
    }
    // Of one that is there twice, what is said last counts.
    let latest = Dictionary((extra + added).map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    for token in extra + added { try names.insert(token.text, id: token.id) }
    tokens = names.tokens
    vocabularySize = tokens.count

    guard let end = try special.end.map(names.id(of:)) ?? model.endId else {
      throw TokenizerError.unnamedToken(file: file, role: "end")
    }
    endId = end
    padId = try special.pad.map(names.id(of:)) ?? model.padId ?? end
    let start = try special.start.map(names.id(of:)) ?? model.startId
    startId = special.addsStart ? start : nil
    let controlIds = zip(Int32(0)..., model.pieces).filter {
      $0.1.type == .control || $0.1.type == .unknown
    }.map(\.0)
    specialIds = Set(controlIds)
      .union([start, endId, padId].compactMap { $0 })
      .union(try special.others.map(names.id(of:)))
      .union(latest.values.filter(\.isSpecial).map(\.id))
    literals = try TokenTrie(literals: specialIds.union(latest.keys), of: names)
  }

  /// The ids of `text`. A stretch that the library cannot cut, which only a damaged model brings
  /// about, is the unknown token.
  ///
  /// The library joins neighbouring unknown characters one by one: half a second for 250 kB of nothing
  /// else, four times as long for twice as many. Other texts take time in proportion.
  public func encode(_ text: String) -> [Int32] {
    literals.encode(text) { stretch, ids in
      if !library.encode(stretch, into: &ids) { ids.append(model.unknownId) }
    }
  }
}

extension TokenNames {
  /// - Throws: `TokenizerError` for a piece that is there twice.
  fileprivate mutating func append(_ pieces: [SentencePieceModel.Piece]) throws {
    for (id, piece) in zip(Int32(0)..., pieces) {
      if let earlier = self.id(of: piece.text) {
        throw place("piece \(id)").damaged(
          "a piece not seen before",
          "\(TokenizerFile.excerpt(piece.text)), which is piece \(earlier) too")
      }
      try insert(piece.text, id: id)
    }
  }
}

extension SentencePieceTokenizer {
  /// The text of `ids`: special tokens by their names, the unknown token as the model says (` ⁇ `).
  /// Without special tokens the unknown one is left out as well, as in the Hugging Face library.
  public func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String {
    var text: [UInt8] = []
    var isFirst = true
    for id in ids where tokens.indices.contains(Int(id)) {
      if skippingSpecialTokens && specialIds.contains(id) { continue }
      if Int(id) < model.pieces.count {
        append(model.pieces[Int(id)], isFirst: isFirst, to: &text)
      } else if let token = tokens[Int(id)] {
        text += token
      }
      isFirst = false
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// - Parameter isFirst: Whether the space that encoding puts in front of a text is here.
  private func append(
    _ piece: SentencePieceModel.Piece, isFirst: Bool, to text: inout [UInt8]
  ) {
    switch piece.type {
    case .unknown: text += model.unknownText
    case .byte: if let byte = piece.byte { text.append(byte) }
    case .control: text += piece.text
    case .normal, .userDefined, .unused:
      let space = Array("\u{2581}".utf8)
      var words = piece.text
      if isFirst, model.addsPrefixSpace, words.starts(with: space) {
        words.removeFirst(space.count)
      }
      words.replace(space, by: [UInt8(ascii: " ")])
      text += words
    }
  }
}
