import Foundation
import Testing

@testable import Tokenizers

@Suite struct JSONReaderTests {
  private func read(_ text: String) throws -> JSONField {
    try JSONReader.read(Array(text.utf8), file: "file")
  }

  @Test func strings() throws {
    let field = try read(#" ["a\"\\\/\b\f\n\r\t", "\u00e9\ud83d\ude42é🙂", ""] "#)
    let texts = try field.elements().map { try $0.text() }
    #expect(texts == ["a\"\\/\u{8}\u{C}\n\r\t", "é🙂é🙂", ""])
  }

  @Test func numbersAndWords() throws {
    let field = try read(#"{"a":-12,"b":0.5e+3,"c":true,"d":null,"e":9223372036854775808,"f":0}"#)
    #expect(try field.required("a").integer() == -12)
    #expect(try field.required("f").integer() == 0)
    #expect(try field.required("c").boolean())
    #expect(try field.member("d") == nil)
    #expect(try field.member("z") == nil)
    for name in ["b", "e"] {
      #expect(throws: TokenizerError.self) { try field.required(name).integer() }
    }
  }

  /// Foundation's dictionaries hold these keys equal.
  @Test func keysAreBytes() throws {
    #expect(try read("{\"\u{E9}\": 1, \"e\u{301}\": 2}").members().count == 2)
  }

  @Test(arguments: [
    "", " ", "{", "[", "[1", "[1,", "[1,]", "{\"a\"", "{\"a\":", "{\"a\":1,}", "{a:1}", "[1 2]",
    "1 2",
    "tru", "nulll", "01", "-", "1.", ".5", "1e", "+1", "NaN", "\"", "\"\\", "\"\\x\"", "\"\\u12\"",
    "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\n\"", "[]]", "{\"a\":1,\"a\":2}",
    "\u{FEFF}1",
    "\u{0}", "// x\n1", "\"\\uZZZZ\"", "\"\\u00é\"",
  ])
  func whatIsNoJSONIsRefused(text: String) {
    #expect(throws: TokenizerError.self) { try read(text) }
  }

  @Test func bytesThatAreNoTextAreRefused() {
    #expect(throws: TokenizerError.self) {
      try JSONReader.read([0x22, 0xFF, 0x22], file: "file")
    }
  }

  @Test func depthAndNumberOfValuesHaveBounds() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try read(nested(32))
    #expect(throws: TokenizerError.self) { try read(nested(33)) }
    #expect(throws: TokenizerError.self) { try read(String(repeating: "[", count: 1_000_000)) }
    #expect(throws: TokenizerError.self) {
      try read("[" + String(repeating: "0,", count: 4_000_000) + "0]")
    }
  }
}
