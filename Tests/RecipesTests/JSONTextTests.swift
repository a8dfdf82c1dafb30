import Files
import Testing

@testable import Recipes

/// What a tokenizer's JSON gains, and what stays.
@Suite struct JSONTextTests {
  private func edited(
    _ text: String, _ change: (inout JSONText) throws -> Void
  ) throws -> String {
    var json = try JSONText(Array(text.utf8))
    try change(&json)
    return String(decoding: json.bytes, as: UTF8.self)
  }

  /// Two names that Swift holds equal, and numbers with more digits than a Double has.
  @Test func allElseStays() throws {
    let vocabulary = "\"vocab\": {\"e\u{301}\": 1, \"\u{e9}\": 2, \"x\": -3.10000000000000000001}"
    let text = "{ \"added_tokens\": [ {\"id\": 0} ],\n  \(vocabulary) }\n"
    let result = try edited(text) { try $0.add(to: "added_tokens", ["id": 7]) }
    let expected = "{ \"added_tokens\": [ {\"id\": 0} , {\"id\":7}],\n  \(vocabulary) }\n"
    #expect(Array(result.utf8) == Array(expected.utf8))
  }

  @Test func whatIsNotThereBegins() throws {
    #expect(try edited("{}") { try $0.add("a", "b") } == #"{"a": "b"}"#)
    #expect(try edited(#"{"a": []}"#) { try $0.add(to: "a", 1) } == #"{"a": [1]}"#)
    #expect(try edited(#"{"a": { }}"#) { try $0.add(to: "a", key: "9", 1) } == #"{"a": { "9": 1}}"#)
    #expect(
      try edited(#"{"b": 1}"#) { try $0.add(to: "a", key: "9", 2) } == #"{"b": 1, "a": {"9":2}}"#)
    #expect(try edited(#"{"b": 1}"#) { try $0.add(to: "a", 2) } == #"{"b": 1, "a": [2]}"#)
  }

  @Test(arguments: ["", "[]", "{", #"{"a" 1}"#, #"{"a": 1"#, "{]"])
  func brokenTextIsRefused(_ text: String) {
    #expect(throws: JSONScanner.Failure.self) { try JSONText(Array(text.utf8)) }
  }

  @Test func noListIsNoPlaceForAnElement() {
    #expect(throws: JSONScanner.Failure.self) {
      try edited(#"{"a": null}"#) { try $0.add(to: "a", 1) }
    }
  }
}
