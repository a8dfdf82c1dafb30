import Files
import Foundation
import Testing
import Tokenizers

@Suite struct WordPieceVocabularyTests {
  private static let specials = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n"

  private func error(reading content: Data) throws -> TokenizerError? {
    try withTemporaryFile(content) { file in
      let error = #expect(throws: TokenizerError.self) {
        try WordPieceTokenizer(vocabularyFile: file)
      }
      #expect(error?.description.contains(file.path) == true)
      return error
    }
  }

  @Test(arguments: [
    ("", "an empty line"),
    ("a\nb\n", "[PAD]"),
    ("[PAD]\n[UNK]\n[CLS]\n[SEP]\n", "[MASK]"),
    (specials + "\na\n", "line 6: expected a token, found an empty line"),
    (specials + "a\nb\na\n", "line 8: expected a token not seen before, found a, which is line 6"),
  ])
  func damagedVocabularyIsRefused(content: String, mention: String) throws {
    let description = try error(reading: Data(content.utf8))?.description ?? ""
    #expect(description.contains(mention), "\(description)")
  }

  @Test func hugeVocabulariesAreRefused() throws {
    let bytes = Data(repeating: UInt8(ascii: "a"), count: 16 << 20 + 1)
    try withTemporaryFile(bytes) { file in
      #expect(
        throws: ReadFailure(file.path, .tooLarge(size: bytes.count, limit: bytes.count - 1))
      ) {
        try WordPieceTokenizer(vocabularyFile: file)
      }
    }
    let lines = (0...1_000_000).map { "\($0)" }.joined(separator: "\n")
    let description = try error(reading: Data(lines.utf8))?.description
    #expect(description?.contains("at most 1000000 tokens") == true)
  }

  @Test func bytesThatAreNotUTF8AreRefused() throws {
    let content = Data(Self.specials.utf8) + Data([0xC3, 0x28, 0x0A])
    let description = try error(reading: content)?.description ?? ""
    #expect(description.contains("line 6: expected UTF-8"))
  }

  @Test func missingFileAndFolderAreRefused() throws {
    for path in [
      "/nonexistent/vocab.txt", FileManager.default.temporaryDirectory.path, "/dev/zero",
    ] {
      let error = #expect(throws: ReadFailure.self) {
        try WordPieceTokenizer(vocabularyFile: URL(fileURLWithPath: path))
      }
      #expect(error?.path == path)
    }
  }

  @Test func missingDecoderTokenIsRefused() throws {
    try withTemporaryFile(Data(Self.specials.utf8)) { file in
      #expect(throws: TokenizerError.missingToken(file: file.path, token: "[DEC]")) {
        try WordPieceTokenizer(vocabularyFile: file, additionalTokens: [])
      }
    }
  }

  @Test(arguments: [
    specials + "un\n##aff\n##able\n", specials + "un\n##aff\n##able",
    (specials + "un\n##aff\n##able\n").replacingOccurrences(of: "\n", with: "\r\n"),
  ])
  func endsOfLinesMayDiffer(content: String) throws {
    try withTemporaryFile(Data(content.utf8)) { file in
      let tokenizer = try WordPieceTokenizer(vocabularyFile: file)
      #expect(tokenizer.vocabularySize == 9)
      #expect(tokenizer.decoderId == 8)
      #expect(tokenizer.encode("Unaffable un aff unaffables") == [5, 6, 7, 5, 1, 1])
      #expect(tokenizer.decode([5, 6, 7, 5], skippingSpecialTokens: false) == "unaffable un")
    }
  }

  @Test func tokensOfTheFileAreNotAddedAgain() throws {
    try withTemporaryFile(Data(("[DEC]\n" + Self.specials).utf8)) { file in
      let tokenizer = try WordPieceTokenizer(
        vocabularyFile: file, additionalTokens: ["[DEC]", "[NEW]"])
      #expect(tokenizer.decoderId == 0)
      #expect(tokenizer.vocabularySize == 7)
      #expect(tokenizer.encode("[NEW][DEC]") == [6, 0])
      #expect(tokenizer.decode([6, 0], skippingSpecialTokens: true) == "")
    }
  }

  /// Swift holds the two forms of é equal, a vocabulary does not.
  @Test func composedAndDecomposedTokensDiffer() throws {
    try withTemporaryFile(Data((Self.specials + "\u{E9}\ne\u{301}\n").utf8)) { file in
      let tokenizer = try WordPieceTokenizer(vocabularyFile: file)
      #expect(tokenizer.vocabularySize == 8)
    }
  }
}
