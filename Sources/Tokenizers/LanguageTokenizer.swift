/// A language model's tokenizer.
public protocol LanguageTokenizer: Sendable {
  /// One more than the largest id.
  var vocabularySize: Int { get }
  /// Put in front of a text by the family's convention (`</s>` of OPT); nil where nothing is.
  var startId: Int32? { get }
  /// Ends generation.
  var endId: Int32 { get }
  /// Fills rows of a batch; the end token of models that have no token for this.
  var padId: Int32 { get }
  /// Stands for what the vocabulary does not have; nil where it has all.
  var unknownId: Int32? { get }

  /// The ids of `text` alone, nothing in front and nothing behind. The name of a special token, written
  /// out in the text, becomes that token.
  func encode(_ text: String) -> [Int32]

  /// The text of `ids`; ids outside the vocabulary, which a model with a padded output table can
  /// give, are left out.
  func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String
}

extension LanguageTokenizer {
  public var unknownId: Int32? { nil }
}

/// The tokens of a model that mean something other than text.
public struct SpecialTokens: Equatable, Sendable {
  /// Files name a token by its text or by its id.
  public enum Reference: Equatable, Sendable {
    case text(String)
    case id(Int32)
  }

  public var start: Reference?
  public var end: Reference?
  public var pad: Reference?
  /// Others that become tokens where a text has them and that are left out of decoded texts.
  public var others: [Reference]
  /// Whether `start` is put in front of a text.
  public var addsStart: Bool

  public init(
    start: Reference? = nil, end: Reference? = nil, pad: Reference? = nil,
    others: [Reference] = [], addsStart: Bool = false
  ) {
    self.start = start
    self.end = end
    self.pad = pad
    self.others = others
    self.addsStart = addsStart
  }
}

/// A token that stands in a text for itself, outside the vocabulary's own rules.
public struct AddedToken: Equatable, Sendable {
  let text: [UInt8]
  let id: Int32
  /// Left out of texts decoded without special tokens.
  let isSpecial: Bool

  public init(_ text: String, id: Int32, isSpecial: Bool = false) {
    self.init(text: Array(text.utf8), id: id, isSpecial: isSpecial)
  }

  init(text: [UInt8], id: Int32, isSpecial: Bool) {
    (self.text, self.id, self.isSpecial) = (text, id, isSpecial)
  }
}
