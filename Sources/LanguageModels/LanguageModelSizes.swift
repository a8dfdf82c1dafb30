import Autograd
import WeightFiles

/// Checks that all families share.
enum LanguageModelSizes {
  /// What is wrong with sizes and tokens, if anything is, in the words of a public `config.json`.
  static func problem(
    _ sizes: [(key: String, value: Int, most: Int)], tokens: LanguageModelTokens,
    vocabularySize: Int
  ) -> String? {
    for size in sizes where size.value < 1 || size.value > size.most {
      return "\(size.key): expected 1 to \(size.most), found \(size.value)"
    }
    let ids =
      [
        ("bos_token_id", tokens.start), ("eos_token_id", tokens.end),
        ("pad_token_id", tokens.padding),
      ] + tokens.furtherEnds.map { ("eos_token_id", $0) }
    for (key, id) in ids {
      if let id, id < 0 || Int(id) >= vocabularySize {
        return "\(key): expected 0 to \(vocabularySize - 1), found \(id)"
      }
    }
    return nil
  }
}

extension KeyedDecodingContainer {
  /// The activation of feed-forward blocks.
  func languageActivation(_ key: Key, usually usual: Activation) throws -> Activation {
    guard let name = try decodeIfPresent(String.self, forKey: key) else { return usual }
    guard let activation = Activation(publicName: name) else {
      let known = Activation.allCases.map(\.rawValue).joined(separator: ", ")
      throw DecodingError.dataCorruptedError(
        forKey: key, in: self, debugDescription: "expected one of \(known), found \(name)")
    }
    return activation
  }

  /// A token id that a file may leave out, or give as null.
  func token(_ key: Key, usually usual: Int32) throws -> Int32 {
    try tokenIfPresent(key) ?? usual
  }

  /// Nil where a file gives none.
  func tokenIfPresent(_ key: Key) throws -> Int32? { try tokensIfPresent(key).first }

  /// One token id or a list of them; none where a file gives none.
  func tokensIfPresent(_ key: Key) throws -> [Int32] {
    guard contains(key), try !decodeNil(forKey: key) else { return [] }
    let ids = try (try? decode([Double].self, forKey: key)) ?? [decode(Double.self, forKey: key)]
    return try ids.map { id in
      guard let token = Int32(exactly: id) else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: self, debugDescription: "expected a token id, found \(id)")
      }
      return token
    }
  }

  /// Refuses a variant of a family that is not built.
  func require(_ key: Key, toBe expected: Bool) throws {
    guard let found = try decodeIfPresent(Bool.self, forKey: key), found != expected else { return }
    throw DecodingError.dataCorruptedError(
      forKey: key, in: self,
      debugDescription: "expected \(expected), found \(found) (not supported)")
  }
}
