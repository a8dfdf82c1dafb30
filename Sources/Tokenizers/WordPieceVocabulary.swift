import Foundation

/// The tokens of a BERT vocabulary file: one a line, the first line's id 0.
struct WordPieceVocabulary {
  /// A hundred times the size of the largest public one; bounds what a wrong path can cost.
  static let maximumByteCount = 16 << 20
  static let maximumTokenCount = TokenizerFile.maximumTokenCount

  /// The tokens by id, those that were added behind those of the file.
  private(set) var tokens: [String] = []
  /// The ids by the tokens' UTF-8 bytes. Strings would not do as keys: Swift holds those equal that
  /// differ only in the composition of accents, and vocabularies contain both forms.
  private var ids: [[UInt8]: Int32] = [:]
  private let file: String

  /// Reads the file, without the byte order mark that editors put in front.
  ///
  /// - Throws: `TokenizerError` for a file that cannot be read, is too large, is not UTF-8, or has an
  ///   empty or a repeated line.
  init(file url: URL, adding additionalTokens: [String]) throws {
    file = url.path
    var bytes = try TokenizerFile.contents(of: url, maximumByteCount: Self.maximumByteCount)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    // The last line may or may not have a line feed.
    let lines = (bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...])
      .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      // Files that went through Windows have a carriage return as well.
      let token = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      try append(Array(token), line: index + 1)
    }
    for token in additionalTokens where id(of: token) == nil {
      precondition(!token.isEmpty, "an added token must not be empty")
      ids[Array(token.utf8)] = Int32(tokens.count)
      tokens.append(token)
    }
  }

  func id(of token: String) -> Int32? { ids[Array(token.utf8)] }

  /// - Throws: `TokenizerError.missingToken`.
  func requiredId(of token: String) throws -> Int32 {
    guard let id = id(of: token) else {
      throw TokenizerError.missingToken(file: file, token: token)
    }
    return id
  }

  private mutating func append(_ token: [UInt8], line: Int) throws {
    func damaged(_ expected: String, _ found: String) -> TokenizerError {
      .damagedLine(file: file, line: line, expected: expected, found: found)
    }
    guard !token.isEmpty else { throw damaged("a token", "an empty line") }
    guard let text = String(validating: token, as: UTF8.self) else {
      throw damaged("UTF-8", "other bytes")
    }
    guard tokens.count < Self.maximumTokenCount else {
      throw damaged("at most \(Self.maximumTokenCount) tokens", "more")
    }
    if let earlier = ids.updateValue(Int32(tokens.count), forKey: token) {
      throw damaged("a token not seen before", "\(text), which is line \(earlier + 1) too")
    }
    tokens.append(text)
  }
}
