import Foundation
import TestSupport
import Testing
import Tokenizers

/// Which tokenizer a folder's files make.
@Suite struct LanguageTokenizersTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open() throws -> any LanguageTokenizer {
    try LanguageTokenizers.open(folder: folder.url)
  }

  private func refusal() throws -> String {
    do {
      _ = try open()
      return "no error"
    } catch let error as TokenizerError {
      return error.description
    }
  }

  private func copyGPT2() throws {
    try folder.copy(GPT2Goldens.vocabularyFile)
    try folder.copy(GPT2Goldens.mergesFile)
  }

  /// The wording of public OPT folders, with the golden's ids.
  @Test func optFolder() throws {
    let goldens = try GPT2Goldens.load()
    try copyGPT2()
    try folder.copy(GPT2Goldens.folder.appendingPathComponent("added_tokens.json"))
    let end =
      #"{"content": "</s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": true}"#
    try folder.write(
      """
      {"errors": "replace", "unk_token": \(end), "bos_token": \(end), "eos_token": \(end),
       "pad_token": {"content": "<pad>"}, "add_prefix_space": false, "add_bos_token": true}
      """, to: "tokenizer_config.json")
    let opt = try open()
    for golden in goldens.cases {
      #expect([opt.startId].compactMap { $0 } + opt.encode(golden.text) == golden.optIds)
    }
    #expect(opt.endId == goldens.eos)
    #expect(opt.padId == goldens.pad)
  }

  @Test func gpt2FolderNamesItsEndById() throws {
    try copyGPT2()
    try folder.write(#"{"bos_token_id": 50256, "eos_token_id": 50256}"#, to: "config.json")
    let gpt2 = try open()
    #expect(gpt2.startId == nil)
    #expect(gpt2.encode("<|endoftext|>") == [50256])
    try folder.write(
      #"{"text_config": {"eos_token_id": [50256, 1], "pad_token_id": -1}}"#, to: "config.json")
    #expect(try open().endId == 50256)
  }

  @Test func missingNamesAreAskedFor() throws {
    try copyGPT2()
    #expect(try refusal().contains("name or id of the end token"))
    try folder.write(#"{"eos_token": "</s>"}"#, to: "special_tokens_map.json")
    #expect(try refusal().contains("expected the token </s>"))
    try folder.write(
      #"{"eos_token": "<|endoftext|>", "add_bos_token": true}"#, to: "tokenizer_config.json")
    #expect(try refusal().contains("name or id of the start token"))
    try folder.write(#"{"eos_token_id": 60000}"#, to: "config.json")
    try FileManager.default.removeItem(atPath: folder.path("tokenizer_config.json"))
    try FileManager.default.removeItem(atPath: folder.path("special_tokens_map.json"))
    #expect(try refusal().contains("of id 60000"))
  }

  @Test func tokenizerDocumentComesBeforeVocabulary() throws {
    try copyGPT2()
    var document = TokenizerDocument(small: ["a b"])
    try document.data.write(to: folder.url.appendingPathComponent("tokenizer.json"))
    try folder.write(#"{"eos_token": "<end>"}"#, to: "special_tokens_map.json")
    #expect(try open().vocabularySize == 258)
    // One of another kind does not, where there is a vocabulary.
    document.content["model"] = ["type": "Unigram"]
    try document.data.write(to: folder.url.appendingPathComponent("tokenizer.json"))
    try folder.write(#"{"eos_token": "<|endoftext|>"}"#, to: "special_tokens_map.json")
    #expect(try open().vocabularySize == 50257)
    try FileManager.default.removeItem(atPath: folder.path("merges.txt"))
    #expect(try refusal().contains("Unigram"))
  }

  @Test func tokensThatTheSettingsAdd() throws {
    try copyGPT2()
    try folder.write(
      """
      {"eos_token": "<|endoftext|>", "additional_special_tokens": ["<image>"], "added_tokens_decoder":
       {"50257": {"content": "<image>", "special": true}, "50258": {"content": "<box>"}}}
      """, to: "tokenizer_config.json")
    let tokenizer = try open()
    #expect(tokenizer.encode("<box><image>") == [50258, 50257])
    #expect(tokenizer.decode([50258, 50257], skippingSpecialTokens: true) == "<box>")
  }

  @Test(arguments: [
    #"{"extra_ids": 100, "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}"#,
    #"{"extra_ids": 100, "additional_special_tokens": ["<extra_id_0>", "<extra_id_1>"]}"#,
    "{}",
  ])
  func t5Folder(settings: String) throws {
    try folder.copy(T5Goldens.modelFile)
    // What a folder of that family has beside the model, and what is not looked at then.
    try folder.write("{}", to: "tokenizer.json")
    try folder.write(settings, to: "tokenizer_config.json")
    if settings == "{}" { try folder.write(#"{"model_type": "t5"}"#, to: "config.json") }
    let t5 = try open()
    let goldens = try T5Goldens.load()
    #expect(t5.vocabularySize == goldens.pieces + 100)
    #expect(t5.startId == nil)
    for golden in goldens.cases where golden.text.contains("<") {
      #expect(t5.encode(golden.text) + [t5.endId] == golden.hfIds)
    }
  }

  @Test func llamaFolder() throws {
    try folder.replace("tokenizer.model", with: ModelMaker.llama.file)
    #expect(try open().startId == 1)
    #expect(try open().padId == 2)
    let size = ModelMaker.llama.names.count
    try folder.write(
      #"{"add_bos_token": false, "bos_token": "<s>", "pad_token": "<pad>"}"#,
      to: "tokenizer_config.json")
    try folder.write("{\"<pad>\": \(size)}", to: "added_tokens.json")
    let llama = try open()
    #expect(llama.startId == nil)
    #expect(llama.padId == Int32(size))
    #expect(llama.vocabularySize == size + 1)
    #expect(llama.encode("<pad>") == [Int32(size)])
    try folder.write("{\"<pad>\": 5}", to: "added_tokens.json")
    #expect(try refusal().contains("id of its own"))
  }

  @Test func anEmptyFolderNamesWhatIsMissing() throws {
    let message = try refusal()
    #expect(message.contains(folder.url.path))
    #expect(message.contains("spiece.model") && message.contains("vocab.json with merges.txt"))
    try folder.copy(GPT2Goldens.vocabularyFile)
    #expect(try refusal().contains("merges.txt"))
  }

  @Test(arguments: [
    ("tokenizer_config.json", #"{"add_bos_token": 1}"#, "add_bos_token: expected true or false"),
    ("tokenizer_config.json", #"{"extra_ids": 2000}"#, "a number from 0 to 1000"),
    ("tokenizer_config.json", #"{"eos_token": 5}"#, "eos_token"),
    (
      "tokenizer_config.json", #"{"added_tokens_decoder": {"x": {"content": "y"}}}"#,
      "an id as its key"
    ),
    (
      "special_tokens_map.json",
      #"{"mask_token": "x", "pad_token": {"content": "x", "lstrip": true}}"#, "lstrip"
    ),
    ("config.json", #"{"eos_token_id": "x"}"#, "eos_token_id"),
    ("config.json", #"{"text_config": []}"#, "text_config"),
    ("added_tokens.json", #"{"x": 1e9}"#, "an integer"),
    ("added_tokens.json", #"["x"]"#, "an object"),
    ("config.json", "{", "the name of a field"),
  ])
  func damagedSettingsAreRefused(file: String, content: String, mention: String) throws {
    try folder.write(content, to: file)
    let message = try refusal()
    #expect(message.contains(file) && message.contains(mention), "\(message)")
  }
}
