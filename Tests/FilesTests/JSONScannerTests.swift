import Testing

@testable import Files

@Suite struct JSONScannerTests {
  private func read(_ text: String, limits: JSONScanner.Limits = .init()) throws -> JSONValue {
    try JSONScanner.document(Array(text.utf8), limits: limits)
  }

  private func description(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .number(let text): text
    case .string(let text): "'\(text)'"
    case .bytes(let bytes): "\(bytes)"
    case .brokenText: "broken"
    case .array(let elements): "[" + elements.map(description).joined(separator: " ") + "]"
    case .object(let members):
      "{" + members.map { "\($0.name ?? "?"): " + description($0.value) }.joined(separator: " ")
        + "}"
    }
  }

  @Test(arguments: [
    (
      #" ["a\"\\\/\b\f\n\r\t", "\u00e9\ud83d\ude42é🙂", ""] "#,
      "['a\"\\/\u{8}\u{C}\n\r\t' 'é🙂é🙂' '']"
    ),
    (#"{"a":-12,"b":0.5e+3,"c":true,"a":null}"#, "{a: -12 b: 0.5e+3 c: true a: null}"),
    ("\u{FEFF}[1]", "[1]"),
    // What Python writes.
    ("[NaN, Infinity, -Infinity]", "[NaN Infinity -Infinity]"),
    (
      #"["a\udce9", "\ud800", "\ud800\u0041", "\udc00x", "\udce9\ud800"]"#,
      "[[97, 233] broken broken broken broken]"
    ),
    (#"{"\udc80": 1, "b": 2}"#, "{?: 1 b: 2}"),
  ])
  func values(text: String, expected: String) throws {
    #expect(description(try read(text)) == expected)
  }

  @Test(arguments: [
    "", " ", "{", "[", "[1", "[1,", "[1,]", "{\"a\"", "{\"a\":", "{\"a\":1,}", "{a:1}", "[1 2]",
    "1 2", "tru", "nulll", "Nan", "-Inf", "01", "-", "1.", ".5", "1e", "+1", "\"", "\"\\",
    "\"\\x\"", "\"\\u12\"", "\"\n\"", "[]]", "\u{0}", "// x\n1", "\"\\uZZZZ\"", "\"\\u00é\"",
  ])
  func whatIsNoJSONIsRefused(text: String) {
    #expect(throws: JSONScanner.Failure.self) { try read(text) }
  }

  @Test func depthLengthAndNumberOfValuesHaveBounds() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try read(nested(65))
    #expect(throws: JSONScanner.Failure.self) { try read(nested(66)) }
    #expect(throws: JSONScanner.Failure.self) { try read(String(repeating: "[", count: 1_000_000)) }
    let many = "[" + String(repeating: "0,", count: 9) + "0]"
    _ = try read(many, limits: .init(values: 11))
    #expect(throws: JSONScanner.Failure.self) { try read(many, limits: .init(values: 10)) }
    _ = try read("\"aaaa\"", limits: .init(length: 6))
    #expect(throws: JSONScanner.Failure.self) { try read("\"aaaa\"", limits: .init(length: 5)) }
  }
}
