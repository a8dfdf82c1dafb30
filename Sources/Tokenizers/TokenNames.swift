import Foundation

/// The tokens of a vocabulary as its file spells them, and their ids.
///
/// They are bytes: Swift holds strings equal that differ only in the composition of accents, and
/// vocabularies contain both forms.
struct TokenNames {
  let file: String
  /// By id; nil where an id has no token.
  private(set) var tokens: [[UInt8]?] = []
  private var ids: [[UInt8]: Int32] = [:]

  init(file: String) {
    self.file = file
  }

  func id(of token: some Collection<UInt8>) -> Int32? { ids[Array(token)] }

  /// - Throws: `TokenizerError` where there is no such token.
  func id(of reference: SpecialTokens.Reference) throws -> Int32 {
    switch reference {
    case .text(let text):
      if let id = id(of: text.utf8) { return id }
      throw TokenizerError.missingToken(file: file, token: text)
    case .id(let id):
      if tokens.indices.contains(Int(id)), tokens[Int(id)] != nil { return id }
      throw TokenizerError.missingToken(file: file, token: "of id \(id)")
    }
  }

  func place(_ place: String) -> FilePlace { FilePlace(file: file, place: place) }

  /// - Throws: `TokenizerError` where the id is out of bounds or another's, or the token has another.
  mutating func insert(_ token: [UInt8], id: Int32) throws {
    func damaged(_ expected: String, _ found: String) -> TokenizerError {
      place("token \(TokenizerFile.excerpt(token))").damaged(expected, found)
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
}

extension TokenNames {
  /// Reads a BERT vocabulary: a token a line, the first line's id 0; then the tokens that are added,
  /// unless the file has them.
  ///
  /// - Throws: `TokenizerError` for a file that cannot be read, is too large, is not UTF-8, or has an
  ///   empty or a repeated line.
  init(wordPieceFile url: URL, adding additionalTokens: [String]) throws {
    self.init(file: url.path)
    let lines = try TokenizerFile.lines(of: url, maximumByteCount: Self.wordPieceByteCount)
    guard !lines.isEmpty else { throw place("line 1").damaged("a token", "an empty line") }
    for (index, line) in lines.enumerated() {
      func damaged(_ expected: String, _ found: String) -> TokenizerError {
        place("line \(index + 1)").damaged(expected, found)
      }
      guard !line.isEmpty else { throw damaged("a token", "an empty line") }
      guard let text = String(validating: line, as: UTF8.self) else {
        throw damaged("UTF-8", "other bytes")
      }
      guard index < TokenizerFile.maximumTokenCount else {
        throw damaged("at most \(TokenizerFile.maximumTokenCount) tokens", "more")
      }
      if let earlier = id(of: line) {
        throw damaged("a token not seen before", "\(text), which is line \(earlier + 1) too")
      }
      try insert(Array(line), id: Int32(index))
    }
    for token in additionalTokens where id(of: token.utf8) == nil {
      precondition(!token.isEmpty, "an added token must not be empty")
      try insert(Array(token.utf8), id: Int32(tokens.count))
    }
  }

  /// A hundred times the size of the largest public `vocab.txt`; bounds what a wrong path can cost.
  private static let wordPieceByteCount = 16 << 20
}
