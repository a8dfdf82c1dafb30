import Foundation

/// Opens the tokenizer in a model's folder.
public enum LanguageTokenizers {
  /// The first of these that `folder` holds:
  ///
  /// 1. `spiece.model`, T5's; a `tokenizer.json` beside it says the same in another way;
  /// 2. `tokenizer.model`, Llama's;
  /// 3. `tokenizer.json`: of byte-level BPE, whose pattern by which text is cut is named only here, or one
  ///    of the two above in other words;
  /// 4. `vocab.json` and `merges.txt`, GPT-2's and OPT's, cut by GPT-2's pattern.
  ///
  /// Special tokens are those that `tokenizer_config.json`, `special_tokens_map.json` and
  /// `config.json` name, the first that names one; a model that names no padding pads with its end.
  ///
  /// - Parameter special: What holds in the place of those files.
  /// - Throws: `TokenizerError`.
  public static func open(
    folder: URL, special: SpecialTokens? = nil
  ) throws -> any LanguageTokenizer {
    func file(_ name: String) -> URL? {
      let url = folder.appendingPathComponent(name)
      return TokenizerFile.exists(url) ? url : nil
    }
    let settings = try TokenizerSettings(folder: folder)
    if let model = file("spiece.model") ?? file("tokenizer.model") {
      return try SentencePieceTokenizer(
        modelFile: model, extraIds: settings.extraIdCount, added: settings.addedTokens,
        special: special ?? settings.special(addsStartByDefault: true))
    }
    let special = special ?? settings.special(addsStartByDefault: false)
    let vocabulary = file("vocab.json")
    let merges = file("merges.txt")
    if let tokenizer = file("tokenizer.json") {
      let document = try JSONField.read(tokenizer)
      let isAlone = vocabulary == nil || merges == nil
      if isAlone, try SentencePieceDocument.fits(document) {
        return try SentencePieceTokenizer(document, special: special)
      }
      let type = try document.required("model").member("type")?.text()
      if type == "BPE" || isAlone {
        return try ByteLevelBPETokenizer(document, special: special)
      }
    }
    if let vocabulary, let merges {
      return try ByteLevelBPETokenizer(
        vocabularyFile: vocabulary, mergesFile: merges, special: special,
        added: settings.addedTokens, addsPrefixSpace: settings.addsPrefixSpace)
    }
    throw TokenizerError.noTokenizer(
      folder: folder.path,
      expected: ["spiece.model", "tokenizer.model", "tokenizer.json", "vocab.json with merges.txt"])
  }
}
