/// The tokens of a SentencePiece tokenizer by name and by id: the model's pieces and what was added.
struct SentencePieceNames {
  private let model: SentencePieceModel
  private var ids: [[UInt8]: Int32] = [:]
  /// What was added behind the model's pieces.
  private(set) var added: [Int32: AddedToken] = [:]
  /// Pieces of the model that are to stand for themselves in texts too, and whether they are special.
  private(set) var literalPieces: [Int32: Bool] = [:]

  /// - Throws: `TokenizerError` for a piece that is there twice.
  init(_ model: SentencePieceModel) throws {
    self.model = model
    for (id, piece) in zip(Int32(0)..., model.pieces) {
      if let earlier = ids.updateValue(id, forKey: piece.text) {
        throw TokenizerError.damaged(
          file: model.file, place: "piece \(id)", expected: "a piece not seen before",
          found: "\(TokenizerFile.excerpt(piece.text)), which is piece \(earlier) too")
      }
    }
  }

  /// - Throws: `TokenizerError` where the id or the text is another's.
  mutating func add(_ token: AddedToken) throws {
    func damaged(_ expected: String, _ found: String) -> TokenizerError {
      .damaged(
        file: model.file, place: "added token \(TokenizerFile.excerpt(token.text))",
        expected: expected, found: found)
    }
    guard !token.text.isEmpty else { throw damaged("a token", "an empty one") }
    guard (0..<Int32(TokenizerFile.maximumTokenCount)).contains(token.id) else {
      throw damaged("an id from 0 to \(TokenizerFile.maximumTokenCount - 1)", "\(token.id)")
    }
    if let earlier = ids.updateValue(token.id, forKey: token.text) {
      guard earlier == token.id else { throw damaged("one id", "\(earlier) and \(token.id)") }
      if Int(token.id) < model.pieces.count {
        literalPieces[token.id] = token.isSpecial
        return
      }
    } else if Int(token.id) < model.pieces.count || added[token.id] != nil {
      throw damaged("an id of its own", "\(token.id), that of another token")
    }
    added[token.id] = token
  }

  /// - Throws: `TokenizerError` where there is no such token.
  func id(of reference: SpecialTokens.Reference) throws -> Int32 {
    switch reference {
    case .text(let text):
      guard let id = ids[Array(text.utf8)] else {
        throw TokenizerError.missingToken(file: model.file, token: text)
      }
      return id
    case .id(let id):
      guard model.pieces.indices.contains(Int(id)) || added[id] != nil else {
        throw TokenizerError.missingToken(file: model.file, token: "of id \(id)")
      }
      return id
    }
  }

  /// The name of an id that is known.
  func text(of id: Int32) -> [UInt8] { added[id]?.text ?? model.pieces[Int(id)].text }
}
