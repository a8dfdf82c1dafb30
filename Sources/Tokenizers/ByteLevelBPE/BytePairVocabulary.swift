/// The tokens of a byte-level vocabulary as its file spells them, and their ids.
struct BytePairVocabulary {
  let file: String
  /// By id; nil where an id has no token.
  private(set) var tokens: [[UInt8]?] = []
  private var ids: [[UInt8]: Int32] = [:]

  init(file: String) {
    self.file = file
  }

  func id(of token: some Collection<UInt8>) -> Int32? { ids[Array(token)] }

  /// - Throws: `TokenizerError` where the id is out of bounds or another's, or the token has another.
  mutating func insert(_ token: [UInt8], id: Int32) throws {
    func damaged(_ expected: String, _ found: String) -> TokenizerError {
      .damaged(
        file: file, place: "token \(TokenizerFile.excerpt(token))", expected: expected, found: found
      )
    }
    guard !token.isEmpty else { throw damaged("a token", "an empty one, of id \(id)") }
    guard (0..<Int32(TokenizerFile.maximumTokenCount)).contains(id) else {
      throw damaged("an id from 0 to \(TokenizerFile.maximumTokenCount - 1)", "\(id)")
    }
    if let earlier = ids.updateValue(id, forKey: token), earlier != id {
      throw damaged("one id", "\(earlier) and \(id)")
    }
    let index = Int(id)
    if index >= tokens.count {
      tokens.append(contentsOf: repeatElement(nil, count: index + 1 - tokens.count))
    }
    if let other = tokens[index], other != token {
      throw damaged("an id of its own", "id \(id), that of \(TokenizerFile.excerpt(other))")
    }
    tokens[index] = token
  }

  /// - Throws: `TokenizerError` where there is no such token.
  func id(of reference: SpecialTokens.Reference) throws -> Int32 {
    switch reference {
    case .text(let text):
      guard let id = id(of: text.utf8) else {
        throw TokenizerError.missingToken(file: file, token: text)
      }
      return id
    case .id(let id):
      guard id >= 0, id < tokens.count, tokens[Int(id)] != nil else {
        throw TokenizerError.missingToken(file: file, token: "of id \(id)")
      }
      return id
    }
  }
}
