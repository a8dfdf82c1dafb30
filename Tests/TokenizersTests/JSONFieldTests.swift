import Foundation
import Testing

@testable import Tokenizers

@Suite struct JSONFieldTests {
  private func read(_ text: String) throws -> JSONField {
    try JSONField.read(Array(text.utf8), file: "file")
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

  @Test(arguments: ["", "{", "[1,]", "{a:1}", "1 2", "nulll", "01", "\"\\x\"", "\"\n\"", "// x\n1"])
  func whatIsNoJSONIsRefused(text: String) {
    #expect(throws: TokenizerError.self) { try read(text) }
  }

  /// What Python writes beyond the standard, and keys that stand there twice, harm those who read them.
  @Test func whatIsUnusualIsRefusedWhereItIsRead() throws {
    let field = try read(
      #"{"a": NaN, "b": "\ud800", "c": 1, "c": 2, "d": {"x": 1, "x": 2}, "e": 3, "f": {"\udc80": 4}}"#
    )
    #expect(try field.required("e").integer() == 3)
    func message(_ body: () throws -> Void) -> String {
      do {
        try body()
        return "none"
      } catch { return "\(error)" }
    }
    #expect(message { _ = try field.required("a").integer() }.contains("NaN"))
    #expect(message { _ = try field.required("b").text() }.contains("surrogate"))
    #expect(message { _ = try field.required("c") }.contains("c once"))
    #expect(message { _ = try field.required("d").members() }.contains("a key not seen before"))
    #expect(message { _ = try field.required("f").members() }.contains("not UTF-8"))
    let other = try JSONField.read([0x22, 0xFF, 0x22], file: "file")
    #expect(message { _ = try other.text() }.contains("not UTF-8"))
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
