import Autograd
import PublicFormats

/// The sizes of a language model as a public `config.json` has them.
protocol LanguageModelConfiguration: PublicConfiguration {
  var vocabularySize: Int { get }
  var tokens: LanguageModelTokens { get set }
}

extension PublicField where Sizes: LanguageModelConfiguration {
  /// A token id; of a list the first.
  /// - Parameter usually: What a file that leaves it out, or gives null, means; nil for the value of
  ///   `init()`.
  static func token(
    _ key: String, _ property: WritableKeyPath<Sizes, Int32>,
    usually: ((Sizes) -> Int32)? = nil
  ) -> PublicField {
    PublicField(
      key,
      read: { values, key, sizes in
        let usual = usually?(sizes) ?? sizes[keyPath: property]
        sizes[keyPath: property] = try values.tokens(key).first ?? usual
      }, problem: { $0.complaint(about: [$0[keyPath: property]]) },
      write: { Int($0[keyPath: property]) })
  }

  /// A token id that a model may do without.
  /// - Parameter usual: What a file that leaves it out means.
  static func token(
    _ key: String, optional property: WritableKeyPath<Sizes, Int32?>, usually usual: Int32?
  ) -> PublicField {
    PublicField(
      key,
      read: { values, key, sizes in
        sizes[keyPath: property] = try values.tokens(key).first ?? usual
      }, problem: { $0.complaint(about: [$0[keyPath: property]].compactMap { $0 }) },
      write: { $0[keyPath: property].map { Int($0) } })
  }

  /// The token, or tokens, that end a text.
  static func ends(_ key: String) -> PublicField {
    PublicField(
      key,
      read: { values, key, sizes in
        let ends = try values.tokens(key)
        sizes.tokens.end = ends.first ?? sizes.tokens.end
        sizes.tokens.furtherEnds = Array(ends.dropFirst())
      }, problem: { $0.complaint(about: [$0.tokens.end] + $0.tokens.furtherEnds) },
      write: { Int($0.tokens.end) })
  }

  /// The activation of the feed-forward blocks.
  static func activation(
    _ key: String, _ property: WritableKeyPath<Sizes, Activation>
  ) -> PublicField {
    PublicField(
      key,
      read: { values, key, sizes in
        guard let name = try values.decodeIfPresent(String.self, forKey: key) else { return }
        guard let activation = Activation(publicName: name) else {
          let known = Activation.allCases.map(\.rawValue).joined(separator: ", ")
          throw values.refusal(key, "expected one of \(known), found \(name)")
        }
        sizes[keyPath: property] = activation
      }, write: { $0[keyPath: property].rawValue })
  }
}

extension LanguageModelConfiguration {
  fileprivate func complaint(about ids: [Int32]) -> String? {
    ids.first { $0 < 0 || Int($0) >= vocabularySize }.map {
      "expected 0 to \(vocabularySize - 1), found \($0)"
    }
  }
}

extension KeyedDecodingContainer {
  /// One token id or a list of them; none where a file gives none, which some do by -1.
  fileprivate func tokens(_ key: Key) throws -> [Int32] {
    guard has(key) else { return [] }
    let ids = try (try? decode([Double].self, forKey: key)) ?? [decode(Double.self, forKey: key)]
    // A decoder has to start with one.
    let mayBeNone = key.stringValue != "decoder_start_token_id"
    return try ids.filter { $0 != -1 || !mayBeNone }.map { id in
      guard let token = Int32(exactly: id) else {
        throw refusal(key, "expected a token id, found \(id)")
      }
      return token
    }
  }
}
