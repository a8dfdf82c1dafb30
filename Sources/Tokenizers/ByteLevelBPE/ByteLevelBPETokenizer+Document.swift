import Files
import Foundation

/// `tokenizer.json` of the Hugging Face tokenizers library, as far as byte-level tokenizers use it.
/// What else it may ask for is refused by name. Its `truncation` and `padding` are settings of the
/// library's caller and no part of the tokenizer.
extension ByteLevelBPETokenizer {
  /// - Parameters:
  ///   - tokenizerFile: `tokenizer.json`.
  ///   - special: What the folder's other files say of special tokens; the end must be named.
  /// - Throws: `TokenizerError`.
  public init(tokenizerFile: URL, special: SpecialTokens) throws {
    try self.init(JSONField.read(tokenizerFile), special: special)
  }

  init(_ document: JSONField, special: SpecialTokens) throws {
    try document.refuse("normalizer")
    let model = try document.required("model")
    try model.expectType("BPE", of: "the model")
    for name in ["dropout", "continuing_subword_prefix", "end_of_word_suffix"] {
      if try model.member(name)?.isEmptyString() == true { continue }
      try model.refuse(name)
    }
    for name in ["fuse_unk", "byte_fallback"] where try model.flag(name) {
      throw TokenizerError.unsupported(file: model.file, feature: "model.\(name)")
    }
    try document.required("decoder").expectType("ByteLevel", of: "the decoder")

    let vocabulary = try TokenNames(model.required("vocab"))
    let merges = try model.required("merges")
    let pairs = try merges.elements()
    guard pairs.count <= TokenizerFile.maximumTokenCount else {
      throw merges.mismatch(
        "at most \(TokenizerFile.maximumTokenCount) merges", found: "\(pairs.count)")
    }
    var parts = BytePairModel(
      vocabulary: vocabulary, preTokenizer: try PreTokenizer(document.required("pre_tokenizer")))
    for pair in pairs { try parts.appendMerge(pair.pair(), at: pair.location) }
    parts.ignoresMergesOfWords = try model.flag("ignore_merges")
    if let unknown = try model.member("unk_token"), try !unknown.isEmptyString() {
      parts.unknownId = try vocabulary.id(of: .text(unknown.text()))
    }
    for token in try document.addedTokens() { try parts.add(token) }
    try self.init(
      parts, special: special,
      templateStart: document.member("post_processor")?.leadingToken()
        .map { try parts.vocabulary.id(of: .text($0)) })
  }
}

extension TokenNames {
  /// From an object of tokens and ids.
  init(_ field: JSONField) throws {
    self.init(file: field.file)
    for member in try field.members() {
      guard let id = member.value.integer.flatMap(Int32.init(exactly:)) else {
        throw field.mismatch(
          "an id for each token",
          found: "\(member.value.kind) for \(TokenizerFile.excerpt(member.key))")
      }
      try insert(member.key, id: id)
    }
  }
}

extension AddedToken {
  /// From an object as in `added_tokens` of `tokenizer.json`.
  ///
  /// `normalized` says nothing here, where no normaliser is supported.
  /// - Parameter stripsSentinels: Whether spaces beside `<extra_id_N>` may be asked to be removed, as a
  ///   model does that removes those at the ends of a text.
  init(_ field: JSONField, id: Int32, stripsSentinels: Bool = false) throws {
    let isStripped = try stripsSentinels && field.content().starts(with: "<extra_id_".utf8)
    let refused = ["single_word"] + (isStripped ? [] : ["lstrip", "rstrip"])
    for name in refused where try field.flag(name) {
      throw TokenizerError.unsupported(
        file: field.file,
        feature: "\(name) of the added token \(TokenizerFile.excerpt(try field.content()))")
    }
    self.init(text: try field.content(), id: id, isSpecial: try field.flag("special"))
  }
}

extension PreTokenizer {
  /// A byte-level pre-tokenizer, alone or behind digits and a pattern.
  fileprivate init(_ field: JSONField) throws {
    self.init(pattern: .whole)
    var steps = [field]
    if try field.type() == "Sequence" { steps = try field.required("pretokenizers").elements() }
    guard let last = steps.popLast() else { throw field.mismatch("a ByteLevel step at the end") }
    for step in steps { try append(step) }
    try last.expectType("ByteLevel", of: "the last pre-tokenizer")
    // The library's defaults.
    addsPrefixSpace = try last.flag("add_prefix_space", default: true)
    if addsPrefixSpace && !steps.isEmpty {
      throw last.unsupported("add_prefix_space behind other steps")
    }
    if try last.flag("use_regex", default: true) {
      guard pattern == .whole else { throw last.unsupported("use_regex behind a pattern") }
      pattern = .gpt2
    }
  }

  private mutating func append(_ step: JSONField) throws {
    guard pattern == .whole else { throw step.unsupported("a step behind a pattern") }
    switch try step.type() {
    case "Digits":
      guard try step.flag("individual_digits") else {
        throw step.unsupported("Digits without individual_digits")
      }
      isolatesDigits = true
    case "Split":
      guard let spelling = try step.required("pattern").member("Regex")?.text(),
        let pattern = WordPattern.spellings[spelling]
      else { throw step.unsupported("its pattern") }
      guard try step.required("behavior").text() == "Isolated", try !step.flag("invert") else {
        throw step.unsupported("its behavior")
      }
      self.pattern = pattern
    case let type:
      throw step.unsupported("the pre-tokenizer \(type)")
    }
  }
}

extension JSONField {
  func unsupported(_ feature: String) -> TokenizerError {
    .unsupported(file: file, feature: "\(feature) (\(place))")
  }

  /// Refuses a member that is neither null nor missing.
  fileprivate func refuse(_ name: String) throws {
    guard let field = try member(name) else { return }
    if case .object = field.value { throw field.unsupported("the \(name) \(try field.type())") }
    throw field.unsupported("\(name)")
  }

  func type() throws -> String { try required("type").text() }

  fileprivate func expectType(_ expected: String, of role: String) throws {
    let found = try type()
    guard found == expected else { throw unsupported("\(role) \(found)") }
  }

  func flag(_ name: String, default fallback: Bool = false) throws -> Bool {
    try member(name)?.boolean() ?? fallback
  }

  fileprivate func isEmptyString() throws -> Bool {
    guard case .string(let text) = value else { return false }
    return text.isEmpty
  }

  /// The `added_tokens` of a `tokenizer.json`.
  func addedTokens(strippingSentinels: Bool = false) throws -> [AddedToken] {
    try member("added_tokens")?.elements().map {
      try AddedToken($0, id: $0.required("id").id(), stripsSentinels: strippingSentinels)
    } ?? []
  }

  /// The `content` of a token; not empty.
  func content() throws -> [UInt8] {
    let content = try required("content").bytes()
    guard !content.isEmpty else { throw mismatch("a token", found: "an empty one") }
    return content
  }
}

extension JSONField {
  /// The special token that a post-processor puts in front of a text. What it puts behind is not
  /// looked at: `encode` puts nothing there, and the end token is named elsewhere.
  func leadingToken() throws -> String? {
    switch try type() {
    case "ByteLevel": return nil
    case "RobertaProcessing":
      let pair = try required("cls").elements()
      guard pair.count == 2 else { throw mismatch("cls to be a token and its id") }
      return try pair[0].text()
    case "TemplateProcessing":
      return try templateStart()
    case "Sequence":
      let names = try required("processors").elements().compactMap { try $0.leadingToken() }
      guard names.count <= 1 else { throw unsupported("more than one token in front of a text") }
      return names.first
    case let type:
      throw unsupported("the post-processor \(type)")
    }
  }

  private func templateStart() throws -> String? {
    var names: [String] = []
    for part in try required("single").elements() {
      if try part.member("Sequence") != nil {
        guard names.count <= 1 else { throw unsupported("more than one token in front of a text") }
        return names.first
      }
      names.append(try part.required("SpecialToken").required("id").text())
    }
    throw mismatch("a template with the text in it", found: "one without")
  }
}
