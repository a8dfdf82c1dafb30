import Files
import Foundation
import TestSupport
import Testing

struct FileNameTests {
  @Test(
    arguments: [
      (Array("plain.jpg".utf8), "plain.jpg"), ([], ""), (Array("é😀".utf8), "é😀"),
      ([0x63, 0xE9], "c\u{10FFE9}"), ([0xFF, 0x80], "\u{10FFFF}\u{10FF80}"),
      // The beginning of a character, and one that is cut short before another.
      ([0xE2, 0x82], "\u{10FFE2}\u{10FF82}"), ([0xC3, 0x41], "\u{10FFC3}A"),
      ([0xC3, 0xC3, 0xA9], "\u{10FFC3}é"),
      // More bytes than are needed, half of a surrogate pair, and more than there is in Unicode.
      ([0xC0, 0xAF], "\u{10FFC0}\u{10FFAF}"),
      ([0xED, 0xA0, 0x80], "\u{10FFED}\u{10FFA0}\u{10FF80}"),
      ([0xF4, 0x90, 0x80, 0x80], "\u{10FFF4}\u{10FF90}\u{10FF80}\u{10FF80}"),
      // A scalar of the range itself, and its neighbours.
      ([0xF4, 0x8F, 0xBF, 0xBF], "\u{10FFF4}\u{10FF8F}\u{10FFBF}\u{10FFBF}"),
      ([0xF4, 0x8F, 0xBE, 0x80], "\u{10FFF4}\u{10FF8F}\u{10FFBE}\u{10FF80}"),
      ([0xF4, 0x8F, 0xBD, 0xBF], "\u{10FF7F}"), ([0xF3, 0xBF, 0xBF, 0xBF], "\u{FFFFF}"),
    ] as [([UInt8], String)])
  func bytesHaveTheirText(_ bytes: [UInt8], _ text: String) {
    #expect(Array(FileName.text(bytes).unicodeScalars) == Array(text.unicodeScalars))
    #expect(FileName.text(bytes.lazy.map { $0 }).utf8.elementsEqual(text.utf8))
    #expect(FileName.bytes(text) == bytes)
    FileName.withCString(text) { start in
      #expect(UnsafeRawBufferPointer(start: start, count: strlen(start)).elementsEqual(bytes))
    }
  }

  private struct Mismatch: Error {
    let bytes: [UInt8]
  }

  /// Any bytes have a text that is valid and leads back to them; texts of different bytes differ.
  @Test func everyNameComesBack() throws {
    var generator = SeededGenerator(5)
    let alphabet: [UInt8] = [
      0x2F, 0x41, 0x80, 0x8F, 0xBE, 0xBF, 0xC3, 0xA9, 0xE2, 0xED, 0xF4, 0xFF,
    ]
    let samples = ["caf\u{E9}.jpg", "e\u{301}.png", "\u{10FFFF}\u{10FF80}", "日本/😀"].map {
      FuzzRun.Sample(name: $0, bytes: Array($0.utf8))
    }
    var seen: [NameKey: [UInt8]] = [:]
    let run = FuzzRun(reader: "file name", samples: samples) { _ in false }
    let report = run.run { mutator, bytes, other in
      mutator.mutated(bytes, with: other)
    } read: { bytes in
      let random = (0..<8).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
      for bytes in [Array(bytes.prefix(1000)), random] {
        let text = FileName.text(bytes)
        guard FileName.bytes(text) == bytes, FileName.bytes(String(text)) == bytes,
          seen.updateValue(bytes, forKey: NameKey(text)) ?? bytes == bytes,
          String(validating: text.utf8, as: UTF8.self) != nil
        else { throw Mismatch(bytes: bytes) }
      }
    }
    #expect(report.problems == [])
  }

  @Test func displayedNamesSpellTheBytesOut() {
    #expect(FileName.displayed(FileName.text([0x63, 0xE9, 0x2F, 0xFF])) == "c\\xE9/\\xFF")
    #expect(FileName.displayed("é \u{10FF7F}") == "é \u{10FF7F}")
  }

  @Test func jsonHasHalvesOfSurrogatePairs() throws {
    let name = FileName.text([0x22, 0x5C, 0x09, 0xE9])
    let json = FileName.json([name, "plain"]) { "{\"a\":\"\($0[0])\",\"b\":\"\($0[1])\"}" }
    #expect(json == #"{"a":"\"\\\u0009\udce9","b":"plain"}"#)
    #expect(FileName.json(["é"]) { "[\"\($0[0])\"]" } == "[\"é\"]")
  }

  @Test func keysAreExact() {
    let (composed, decomposed) = ("\u{E9}", "e\u{301}")
    #expect(composed == decomposed)
    #expect(NameKey(composed) != NameKey(decomposed))
    #expect(Set([composed, decomposed, "e"].map(NameKey.init)).count == 3)
    #expect(NameKey(composed) == NameKey(String(decoding: [0xC3, 0xA9], as: UTF8.self)))
  }

  @Test func keysAreSortedByTheBytesOnDisk() {
    let names: [[UInt8]] = [
      [0x41], [0x41, 0xFF], [0x65, 0xCC, 0x81], [0x80], [0xC3, 0xA9], [0xE9],
      [0xF0, 0x9F, 0x98, 0x80],
      [0xF4, 0x8F, 0xBF, 0xBF], [0xFF],
    ]
    let sorted = names.reversed().map { NameKey(FileName.text($0)) }.sorted()
    #expect(sorted.map { FileName.bytes($0.text) } == names)
  }
}
