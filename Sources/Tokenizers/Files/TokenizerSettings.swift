import Foundation

/// What the small files beside a vocabulary say.
struct TokenizerSettings {
  /// As public T5 models have (Raffel et al. 2020, arXiv:1910.10683, §3.1.4).
  private static let extraIdCountOfT5 = 100

  private var special = SpecialTokens()
  private var addsStart: Bool?
  private(set) var addsPrefixSpace = false
  /// How many `<extra_id_N>` a T5 model has behind its pieces.
  private(set) var extraIdCount = 0
  /// Those of `added_tokens.json` and of `added_tokens_decoder`, without `<extra_id_N>`.
  private(set) var addedTokens: [AddedToken] = []

  /// - Throws: `TokenizerError` for files that are there but not as they should be.
  init(folder: URL) throws {
    func document(_ name: String) throws -> JSONField? {
      let url = folder.appendingPathComponent(name)
      return TokenizerFile.exists(url) ? try JSONField.read(url) : nil
    }
    let settings = try document("tokenizer_config.json")
    let configuration = try document("config.json")
    if let settings {
      try readNames(settings)
      addsStart = try settings.member("add_bos_token")?.boolean()
      addsPrefixSpace = try settings.flag("add_prefix_space")
    }
    if let names = try document("special_tokens_map.json") { try readNames(names) }
    if let configuration {
      try readIds(configuration)
      // Models of several parts keep what concerns their language model one level down.
      if let text = try configuration.member("text_config") { try readIds(text) }
    }
    extraIdCount = try Self.extraIdCount(settings, configuration)
    try readAddedTokens(document("added_tokens.json"), settings?.member("added_tokens_decoder"))
  }

  func special(addsStartByDefault: Bool) -> SpecialTokens {
    var special = special
    special.addsStart = addsStart ?? addsStartByDefault
    return special
  }

  private mutating func readNames(_ field: JSONField) throws {
    special.start = try special.start ?? Self.name(field.member("bos_token"))
    special.end = try special.end ?? Self.name(field.member("eos_token"))
    special.pad = try special.pad ?? Self.name(field.member("pad_token"))
    if let unknown = try Self.name(field.member("unk_token")) {
      special.others.append(unknown)
    }
    for token in try field.member("additional_special_tokens")?.elements() ?? [] {
      guard let name = try Self.name(token) else { continue }
      if case .text(let text) = name, Self.isExtraId(Array(text.utf8)) { continue }
      special.others.append(name)
    }
  }

  /// A token's name, written as it is or as an object with `content`.
  private static func name(_ field: JSONField?) throws -> SpecialTokens.Reference? {
    guard let field else { return nil }
    if case .string = field.value { return .text(try field.text()) }
    if Self.isExtraId(try field.content()) { return .text(try field.required("content").text()) }
    let token = try AddedToken(field, id: 0)
    return .text(String(decoding: token.text, as: UTF8.self))
  }

  /// `extraIdCount` speaks for these. Files written by some releases want the spaces beside them
  /// removed, which T5's model does with all spaces at the ends of a text.
  private static func isExtraId(_ name: [UInt8]) -> Bool { name.starts(with: "<extra_id_".utf8) }

  private mutating func readIds(_ field: JSONField) throws {
    special.start = try special.start ?? Self.id(field.member("bos_token_id"))
    special.end = try special.end ?? Self.id(field.member("eos_token_id"))
    special.pad = try special.pad ?? Self.id(field.member("pad_token_id"))
  }

  /// One id; of several, all of which end a text, the first.
  private static func id(_ field: JSONField?) throws -> SpecialTokens.Reference? {
    guard let field else { return nil }
    if case .array = field.value { return try field.elements().first.map { .id(try $0.id()) } }
    // Some files say -1 for none.
    if field.value.integer == -1 { return nil }
    return .id(try field.id())
  }

  private static func extraIdCount(
    _ settings: JSONField?, _ configuration: JSONField?
  ) throws -> Int {
    if let field = try settings?.member("extra_ids") {
      let count = try field.integer()
      guard (0...1000).contains(count) else {
        throw field.mismatch("a number from 0 to 1000", found: "\(count)")
      }
      return count
    }
    // Before the library wrote the number down, it was that of every T5.
    let types = try [configuration, configuration?.member("text_config")].compactMap {
      try $0?.member("model_type")?.text()
    }
    return types.contains("t5") ? extraIdCountOfT5 : 0
  }

  private mutating func readAddedTokens(_ ids: JSONField?, _ decoder: JSONField?) throws {
    var tokens: [Int32: AddedToken] = [:]
    for member in try ids?.members() ?? [] {
      let field = JSONField(
        value: member.value, place: TokenizerFile.excerpt(member.key), file: ids?.file ?? "")
      let id = try field.id()
      if Self.isExtraId(member.key) { continue }
      tokens[id] = AddedToken(text: member.key, id: id, isSpecial: false)
    }
    for member in try decoder?.members() ?? [] {
      let name = String(decoding: member.key, as: UTF8.self)
      let field = JSONField(
        value: member.value, place: "added_tokens_decoder.\(name)", file: decoder?.file ?? "")
      guard let id = Int32(name) else { throw field.mismatch("an id as its key", found: name) }
      if Self.isExtraId(try field.content()) { continue }
      tokens[id] = try AddedToken(field, id: id)
    }
    addedTokens = tokens.values.sorted { $0.id < $1.id }
  }
}
