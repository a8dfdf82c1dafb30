import Foundation
import Testing
import Tokenizers

/// `tokenizer.json`.
@Suite struct ByteLevelBPEDocumentTests {
  private func tokenizer(
    _ document: TokenizerDocument, special: SpecialTokens = SpecialTokens(end: .text("<end>"))
  ) throws -> ByteLevelBPETokenizer {
    try withTemporaryFile(try document.data) {
      try ByteLevelBPETokenizer(tokenizerFile: $0, special: special)
    }
  }

  private func refusal(_ document: TokenizerDocument) throws -> String {
    #expect(throws: TokenizerError.self) { try tokenizer(document) }
    do { _ = try tokenizer(document) } catch { return "\(error)" }
    return ""
  }

  /// The texts of the tokens, one by one.
  private func pieces(_ tokenizer: ByteLevelBPETokenizer, _ text: String) -> [String] {
    tokenizer.encode(text).map { tokenizer.decode([$0], skippingSpecialTokens: false) }
  }

  @Test(arguments: TokenizerDocument.MergeForm.allCases)
  func bothFormsOfMergesGiveTheGoldenIds(form: TokenizerDocument.MergeForm) throws {
    let goldens = try GPT2Goldens.load()
    var document = try TokenizerDocument(form)
    document.content["post_processor"] = [
      "type": "TemplateProcessing",
      "single": [
        ["SpecialToken": ["id": "</s>", "type_id": 0]], ["Sequence": ["id": "A", "type_id": 0]],
      ], "pair": [], "special_tokens": [:],
    ]
    let tokenizer = try tokenizer(
      document, special: SpecialTokens(end: .text("</s>"), pad: .text("<pad>")))
    #expect(tokenizer.startId == goldens.bos)
    #expect(tokenizer.endId == goldens.eos)
    #expect(tokenizer.padId == goldens.pad)
    #expect(tokenizer.vocabularySize == 50259)
    for golden in goldens.cases where !golden.text.contains("</s>") {
      #expect(tokenizer.encode(golden.text) == golden.ids, "\(golden.text)")
      #expect(tokenizer.decode(golden.ids, skippingSpecialTokens: false) == golden.decoded)
    }
  }

  @Test(arguments: [
    (
      #"{"type":"RobertaProcessing","sep":["<end>",256],"cls":["<end>",256],"trim_offsets":true}"#,
      true
    ),
    (#"{"type":"ByteLevel","trim_offsets":false}"#, false),
    (
      #"{"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing","single":["#
        + #"{"SpecialToken":{"id":"<end>"}},{"Sequence":{"id":"A"}}]}]}"#, true
    ),
    (
      #"{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A"}},{"SpecialToken":{"id":"<end>"}}]}"#,
      false
    ),
  ])
  func leadingTokenOfThePostProcessor(processor: String, hasStart: Bool) throws {
    var document = TokenizerDocument(small: [])
    document.content["post_processor"] = try JSONSerialization.jsonObject(
      with: Data(processor.utf8))
    let tokenizer = try tokenizer(document)
    #expect(tokenizer.startId == (hasStart ? tokenizer.endId : nil))
    #expect(tokenizer.encode("ab").count == 2)
  }

  @Test func digitsStandAlone() throws {
    var document = TokenizerDocument(small: ["1 2", "Ġ 1", "Ġ a", "Ġ Ġ"])
    #expect(try pieces(tokenizer(document), "a  12 1") == ["a", " ", " ", "12", " 1"])
    document.content["pre_tokenizer"] = TokenizerDocument.sequence([
      TokenizerDocument.digits, TokenizerDocument.byteLevel(),
    ])
    #expect(try pieces(tokenizer(document), "a  12 a") == ["a", "  ", "1", "2", " a"])
  }

  @Test func patternOfLlama3() throws {
    var document = TokenizerDocument(small: ["1 2", "12 3", "123 4", "! a", "a Ċ"])
    let pattern =
      #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"#
      + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
    document.content["pre_tokenizer"] = TokenizerDocument.sequence([
      TokenizerDocument.split(pattern), TokenizerDocument.byteLevel(pattern: false),
    ])
    #expect(try pieces(tokenizer(document), "!a\n1234") == ["!a", "\n", "123", "4"])
    // Without a pattern there is but one word.
    document.content["pre_tokenizer"] = TokenizerDocument.byteLevel(pattern: false)
    #expect(try pieces(tokenizer(document), "!a\n1234") == ["!a", "\n", "1234"])
  }

  @Test func prefixSpace() throws {
    var document = TokenizerDocument(small: ["Ġ a"])
    document.content["pre_tokenizer"] = TokenizerDocument.byteLevel(prefixSpace: true)
    let tokenizer = try tokenizer(document)
    #expect(pieces(tokenizer, "a") == [" a"])
    #expect(pieces(tokenizer, " a") == [" a"])
    #expect(pieces(tokenizer, "\na") == [" ", "\n", "a"])
    #expect(pieces(tokenizer, "a<end>a") == [" a", "<end>", " a"])
    #expect(tokenizer.encode("") == [])
  }

  @Test func wordsMayBeTakenWhole() throws {
    // The merges alone do not lead to the word.
    var document = TokenizerDocument(small: ["a b", "b c", "ab c", "c d", "bc cd"])
    let text = "bccd"
    var model = document.content["model"] as? [String: Any] ?? [:]
    model["merges"] = ["a b", "c c", "b c", "ab c", "c d", "bc cd"]
    var vocabulary = model["vocab"] as? [String: Int] ?? [:]
    vocabulary["cc"] = 300
    model["vocab"] = vocabulary
    document.content["model"] = model
    #expect(try pieces(tokenizer(document), text) == ["b", "cc", "d"])
    document.setModel("ignore_merges", true)
    #expect(try pieces(tokenizer(document), text) == [text])
  }

  @Test func bytesWithoutATokenAreUnknownOrDropped() throws {
    var document = TokenizerDocument(small: [])
    var model = document.content["model"] as? [String: Any] ?? [:]
    var vocabulary = model["vocab"] as? [String: Int] ?? [:]
    vocabulary["x"] = nil
    model["vocab"] = vocabulary
    document.content["model"] = model
    #expect(try pieces(tokenizer(document), "axb") == ["a", "b"])
    document.setModel("unk_token", "?")
    #expect(try pieces(tokenizer(document), "axb") == ["a", "?", "b"])
  }

  /// Each is refused by its name.
  @Test(arguments: [
    ("normalizer", #"{"type":"NFC"}"#, "NFC"),
    ("decoder", #"{"type":"Metaspace"}"#, "Metaspace"),
    ("pre_tokenizer", #"{"type":"Whitespace"}"#, "Whitespace"),
    ("pre_tokenizer", #"{"type":"Sequence","pretokenizers":[]}"#, "ByteLevel"),
    (
      "pre_tokenizer",
      #"{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":false},{"type":"ByteLevel"}]}"#,
      "individual_digits"
    ),
    (
      "pre_tokenizer",
      #"{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\d"},"behavior":"Isolated"},{"type":"ByteLevel"}]}"#,
      "pattern"
    ),
    (
      "pre_tokenizer",
      #"{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},{"type":"ByteLevel"}]}"#,
      "add_prefix_space"
    ),
    ("post_processor", #"{"type":"BertProcessing"}"#, "BertProcessing"),
    (
      "post_processor",
      #"{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<end>"}},{"SpecialToken":{"id":"<end>"}},{"Sequence":{"id":"A"}}]}"#,
      "more than one token"
    ),
    (
      "added_tokens",
      #"[{"id":256,"content":"<end>","lstrip":true,"rstrip":false,"single_word":false,"special":true}]"#,
      "lstrip"
    ),
    ("added_tokens", #"[{"id":0,"content":"<end>"}]"#, "id 0"),
    ("added_tokens", #"[{"id":1000000,"content":"<end>"}]"#, "999999"),
    ("added_tokens", #"[{"id":-1,"content":"<end>"}]"#, "-1"),
    ("added_tokens", #"[{"id":300,"content":""}]"#, "empty"),
    ("added_tokens", #"{}"#, "a list"),
    ("model", #"{"type":"Unigram"}"#, "Unigram"),
    ("model", #"{"type":"BPE","dropout":0.1}"#, "dropout"),
    ("model", #"{"type":"BPE","end_of_word_suffix":"</w>"}"#, "end_of_word_suffix"),
    ("model", #"{"type":"BPE","byte_fallback":true}"#, "byte_fallback"),
    ("model", #"{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a c"]}"#, "merges[0]"),
    ("model", #"{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]}"#, "\"ab\""),
    (
      "model", #"{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b",["a","b"]]}"#,
      "merges[1]"
    ),
    ("model", #"{"type":"BPE","vocab":{"a":0},"merges":[["a"]]}"#, "two tokens"),
    ("model", #"{"type":"BPE","vocab":{"a":0},"merges":["a  a"]}"#, "two tokens"),
    ("model", #"{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}"#, "an id of its own"),
    ("model", #"{"type":"BPE","vocab":{"a":0,"b":4294967297},"merges":[]}"#, "an id"),
    ("model", #"{"type":"BPE","vocab":{"a":0,"b":"1"},"merges":[]}"#, "a text"),
    ("model", #"{"type":"BPE","vocab":[],"merges":[]}"#, "an object"),
    ("model", #"{"type":"BPE","merges":[]}"#, "model.vocab"),
  ])
  func whatIsNotSupportedIsRefused(key: String, value: String, mention: String) throws {
    var document = TokenizerDocument(small: [])
    document.content[key] = try JSONSerialization.jsonObject(with: Data(value.utf8))
    let message = try refusal(document)
    #expect(message.contains(mention), "\(message)")
  }

  @Test func literalsHaveBounds() throws {
    func document(_ texts: [String]) -> TokenizerDocument {
      var document = TokenizerDocument(small: [])
      document.content["added_tokens"] = texts.enumerated().map {
        ["id": 256 + $0, "content": $1, "special": true] as [String: Any]
      }
      return document
    }
    let long = String(repeating: "x", count: 1024)
    _ = try tokenizer(document(["<end>", long]))
    #expect(try refusal(document(["<end>", long + "x"])).contains("at most 1024 bytes"))
    let many = (0..<1100).map { String(repeating: "x", count: 1000) + "\($0)" }
    #expect(try refusal(document(["<end>"] + many)).contains("at most 1048576 bytes in all"))
  }
}
