import Foundation
import Testing

@testable import Configuration

/// Whatever a file holds, loading it gives a configuration or a `ConfigurationError`, soon.
@Suite struct HostileConfigurationTests {
  /// The error of loading the bytes, on a thread with a small stack.
  private func error(_ bytes: Data, overrides: [String] = []) throws -> ConfigurationError? {
    nonisolated(unsafe) var result: Result<ExampleConfiguration, Error>?
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
      result = Result { try load(bytes: bytes, overrides: overrides) }
      done.signal()
    }
    thread.stackSize = 512 << 10
    thread.start()
    done.wait()
    switch try #require(result) {
    case .success: return nil
    case .failure(let error): return try #require(error as? ConfigurationError, "\(error)")
    }
  }

  private func error(_ text: String) throws -> ConfigurationError? { try error(Data(text.utf8)) }

  @Test(arguments: [33, 200, 900, 100_000])
  func deepNesting(depth: Int) throws {
    func repeated(_ text: String) -> String { String(repeating: text, count: depth) }
    let blocks =
      depth > 900 ? "" : (0..<depth).map { "\(String(repeating: " ", count: $0))a:\n" }.joined()
    let texts = [
      repeated("["), repeated("[") + repeated("]"), repeated("{a: "),
      repeated("{a: ") + "1" + repeated("}"), repeated("[a: ") + "1" + repeated("]"),
      repeated("- ") + "1", repeated("? "), "training: " + repeated("[") + repeated("]"),
      blocks + " ",
    ]
    for text in texts where !text.isBlank {
      let error = try error(String(text.prefix(ConfigurationReader.sizeLimit)))
      switch error {
      case .nestedTooDeeply(_, limit: 32), .malformed, .unsupported: break
      default: Issue.record("\(text.prefix(20)): \(String(describing: error))")
      }
    }
    guard case .nestedTooDeeply(_, limit: 32) = try error(repeated("[") + repeated("]")) else {
      Issue.record("not refused for its depth")
      return
    }
  }

  @Test func deepestAllowedNesting() throws {
    let deep = String(repeating: "[", count: 31) + String(repeating: "]", count: 31)
    guard case .unknownKey = try error("x: " + deep) else {
      Issue.record("32 levels refused")
      return
    }
    guard case .nestedTooDeeply = try error("x: [" + deep + "]") else {
      Issue.record("33 levels allowed")
      return
    }
  }

  @Test func aliasBomb() throws {
    var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1...40 {
      let aliases = (0..<9).map { _ in "*a\(level - 1)" }.joined(separator: ", ")
      bomb += "a\(level): &a\(level) [\(aliases)]\n"
    }
    guard case .unsupported(.file(_, let line), _, _) = try error(bomb) else {
      Issue.record("not refused")
      return
    }
    #expect(line == 2)
  }

  /// The parser compares keys in full at every level.
  @Test func keysWithinKeys() throws {
    let levels = 900
    let list = Array(repeating: "x", count: 100_000).joined(separator: ",")
    let open = String(repeating: "{? ", count: levels)
    let text = open + "[\(list)]" + String(repeating: ": 1}", count: levels)
    guard case .unsupported(_, let feature, _) = try error(text) else {
      Issue.record("not refused")
      return
    }
    #expect(feature.hasPrefix("more than 8 words"))
  }

  @Test func questionMarksInText() throws {
    let words = Array(repeating: "what? ¿qué?", count: 7).joined(separator: " ")
    #expect(try load("name: \(words)").name == words)
  }

  /// Keys are compared while parsing, so that aliases in them are expanded there.
  @Test func largestAllowedExpansionInKeys() throws {
    let list = Array(repeating: "x", count: 100_000).joined(separator: ",")
    let text = "a: &a [\(list)]\nb: &b [*a,*a,*a]\nc: &c [*b,*b]\n? [*c,*c]\n: 1\n"
    guard case .unsupported(_, let feature, _) = try error(text) else {
      Issue.record("not refused")
      return
    }
    #expect(feature.hasPrefix("anchors"))
  }

  @Test func starsInTextAndCommentsAreNoAliases() throws {
    let loaded = try load("# *this* matters\nname: \"*.jpg\" # **very**\n")
    #expect(loaded.name == "*.jpg")
  }

  @Test func largeFile() throws {
    let limit = 256 << 10
    let fits = Data(repeating: UInt8(ascii: "#"), count: limit)
    #expect(try error(fits) == nil)
    for size in [limit + 1, 2 << 20] {
      let bytes = Data(repeating: UInt8(ascii: "#"), count: size)
      guard case .fileTooLarge(_, limit: limit) = try error(bytes) else {
        Issue.record("\(size) bytes not refused")
        continue
      }
    }
    guard
      case .fileTooLarge = #expect(
        throws: ConfigurationError.self,
        performing: {
          try ConfigurationLoader.load(
            ExampleConfiguration(), file: URL(fileURLWithPath: "/dev/zero"))
        })
    else {
      Issue.record("an endless file was read")
      return
    }
  }

  @Test func manyKeys() throws {
    let keys = (0..<30_000).map { "k\($0): \n" }.joined()
    guard case .unknownKey(_, "k0", _, _) = try error(keys) else {
      Issue.record("not refused")
      return
    }
    let labels = "labels:\n" + (0..<20_000).map { " k\($0): 1\n" }.joined()
    #expect(try load(labels).labels.count == 20_001)
    let long = String(repeating: "training", count: 30_000)
    guard case .some(.malformed) = try error("\(long): 1") else {
      Issue.record("a key of \(long.utf8.count) bytes")
      return
    }
    let unknown = try error("? \(long)\n: 1")
    #expect(try #require(unknown).description.count < 400)
  }

  @Test func invalidText() throws {
    for bytes: [UInt8] in [[0xFF], [0x61, 0x3A, 0x20, 0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80]] {
      guard case .notText = try error(Data(bytes)) else {
        Issue.record("\(bytes)")
        continue
      }
    }
    for text in [
      "name: \0", "name: \u{7}", "name: \"\\ud800\"", "name: \"\\xff\\q\"", "\t- a", "%",
    ] {
      guard case .malformed = try error(text) else {
        Issue.record("\(text)")
        continue
      }
    }
  }

  @Test func whatEditorsAndDownloadsLeave() throws {
    #expect(try error(Data([0xEF, 0xBB, 0xBF]) + Data("name: a".utf8)) == nil)
    for (text, words) in [
      ("<!DOCTYPE html>", "HTML"), ("version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    ] {
      #expect(try error(Data(text.utf8))?.description.contains(words) == true)
    }
  }

  @Test func missingFileAndFolder() {
    for (path, words) in [
      ("/nowhere/at/all.yaml", "No such file or directory"),
      (NSTemporaryDirectory(), "Is a directory"),
    ] {
      let file = URL(fileURLWithPath: path)
      let error = #expect(throws: ConfigurationError.self) {
        try ConfigurationLoader.load(ExampleConfiguration(), file: file)
      }
      guard case .unreadableFile(_, words) = error else {
        Issue.record("\(path): \(String(describing: error))")
        continue
      }
    }
  }

  @Test(arguments: 0..<300)
  func mutations(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let valid = """
      name: demo
      training: {batchSize: 32, learningRate: 1e-4, betas: [0.9, 0.98], negatives: all}
      checkpoint:
        every: 10  # *often*
        keep: null
        comment: "quoted \\u00e9 \\x41"
      data:
        sources:
        - path: 'a.jsonl'
          weight: 2
        - {path: b.jsonl, limit: 3}
      labels: {cat: 1, dog: .5}
      """
    #expect(try load(valid).training.batchSize == 32)
    var bytes = Array(valid.utf8)
    let punctuation = Array("[]{}:,-?&*!|>'\"%@`#\n\t \\\u{FEFF}~<=".utf8)
    for _ in 0..<Int.random(in: 1...12, using: &random) {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes[place] = punctuation[Int.random(in: 0..<punctuation.count, using: &random)]
      case 2: bytes.insert(punctuation.randomElement(using: &random)!, at: place)
      case 3:
        bytes.removeSubrange(
          place..<min(bytes.count - 1, place + Int.random(in: 0...9, using: &random)))
      default:
        let end = min(bytes.count, place + Int.random(in: 1...40, using: &random))
        bytes.insert(
          contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
      }
      if bytes.isEmpty { bytes = [0x3A] }
    }
    _ = try error(Data(bytes))
    let noise = (0..<Int.random(in: 1...400, using: &random)).map { _ in
      seed.isMultiple(of: 2)
        ? UInt8.random(in: 0...255, using: &random)
        : punctuation.randomElement(using: &random)!
    }
    _ = try error(Data(noise))
  }
}

/// Steele, Lea and Flood 2014: a small generator with a seed.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }
}

extension String {
  fileprivate var isBlank: Bool { allSatisfy(\.isWhitespace) }
}
