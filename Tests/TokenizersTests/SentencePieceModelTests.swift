import Foundation
import Testing
import Tokenizers

/// Models that are damaged, or made to hurt.
@Suite struct SentencePieceModelTests {
  private func refusal(_ bytes: [UInt8]) throws -> String {
    try withTemporaryFile(Data(bytes)) { file in
      do {
        _ = try SentencePieceTokenizer(modelFile: file)
        return "no error"
      } catch let error as TokenizerError {
        #expect(error.description.contains(file.path))
        return error.description
      }
    }
  }

  private func refusal(_ change: (inout ModelMaker) -> Void) throws -> String {
    var model = ModelMaker.unigram
    change(&model)
    return try refusal(model.file)
  }

  @Test func theUnchangedModelIsAccepted() throws {
    #expect(try refusal { _ in } == "no error")
  }

  private typealias Damage = @Sendable (inout ModelMaker) -> Void

  private static let damages: [(what: String, change: Damage, mention: String)] = [
    ("no pieces", { $0.pieces = [] }, "pieces, found none"),
    ("no unknown piece", { $0.pieces.removeFirst() }, "refused by the sentencepiece library"),
    ("a piece twice", { $0.append("a") }, "refused by the sentencepiece library"),
    ("a piece of two types", { $0.append("a", 3) }, "piece 4 too"),
    ("an empty piece", { $0.append("") }, "a piece of 1 to 1024 bytes"),
    ("a long piece", { $0.append(String(repeating: "x", count: 1025)) }, "1025"),
    ("a zero in a piece", { $0.append("x\u{0}") }, "without zeros"),
    (
      "bytes that are no text",
      { $0.pieces.append(ModelMaker.bytes(1, ModelMaker.bytes(1, [0xFF]))) }, "UTF-8"
    ),
    (
      "a score that does not compare", { $0.pieces.append(ModelMaker.piece("x", score: .nan)) },
      "finite"
    ),
    ("a type that is none", { $0.append("x", 7) }, "type from 1 to 6"),
    ("a byte without a name", { $0.append("x", 6) }, "name of a byte"),
    ("words", { $0.trainer = ModelMaker.number(3, 3) }, "model_type 3"),
    ("spaces behind", { $0.trainer += ModelMaker.number(24, 1) }, "treat_whitespace_as_suffix"),
    ("no end", { $0.trainer += ModelMaker.text(47, "<none>") }, "the end token"),
    ("plain spaces", { $0.normalizer = ModelMaker.number(5, 0) }, "escape_whitespaces"),
    ("two trainers", { $0.rest = ModelMaker.bytes(2, []) }, "field 2 once"),
    ("a number for a trainer", { $0.rest = ModelMaker.number(5, 1) }, "bytes in field 5"),
    ("bytes for a number", { $0.trainer = ModelMaker.text(3, "1") }, "a number in field 3"),
    (
      "a denormaliser", { $0.rest = ModelMaker.bytes(5, ModelMaker.text(2, "xxxxx")) },
      "denormaliser"
    ),
    ("a group", { $0.rest = [9 << 3 | 3] }, "type 3"),
    ("a field of number 0", { $0.rest = [0, 0] }, "a field number"),
    (
      "a length beyond the end", { $0.rest = [9 << 3 | 2, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F] },
      "at most 0 bytes"
    ),
    ("a number without an end", { $0.rest = [9 << 3, 0xFF] }, "ten bytes"),
    (
      "thousands of fields",
      { $0.rest = Array(repeatElement([9 << 3, 0], count: 10_001).joined()) }, "10000 fields"
    ),
    (
      "a million pieces",
      { $0.pieces = (0...1_000_000).map { ModelMaker.bytes(1, ModelMaker.text(1, "\($0)")) } },
      "at most 1000000 pieces"
    ),
  ]

  @Test(arguments: damages.indices)
  func damageIsRefused(_ number: Int) throws {
    let (what, change, mention) = Self.damages[number]
    let message = try refusal(change)
    #expect(message.contains(mention), "\(what): \(message)")
  }

  /// But for those between fields, behind which a model may end.
  @Test func everyCutIsRefused() throws {
    let model = ModelMaker.unigram
    let fields = model.pieces + [ModelMaker.bytes(2, model.trainer)]
    let ends = Set(fields.indices.map { fields[...$0].joined().count })
    for count in 0..<model.file.count where !ends.contains(count) {
      #expect(try refusal(Array(model.file[..<count])) != "no error", "\(count) bytes")
    }
  }

  private func refusal(table: [UInt8]) throws -> String {
    try refusal { $0.normalizer = ModelMaker.bytes(2, table) }
  }

  @Test func aSoundTableIsAccepted() throws {
    var model = ModelMaker.unigram
    model.normalizer = ModelMaker.bytes(2, ModelMaker.trie { _ in })
    try withTemporaryFile(Data(model.file)) { file in
      let tokenizer = try SentencePieceTokenizer(modelFile: file)
      #expect(tokenizer.encode("a") == ["▁", "b"].map(model.id))
    }
  }

  @Test func tablesOutOfShapeAreRefused() throws {
    let whole = ModelMaker.trie { _ in }
    #expect(try refusal(table: [1, 2]).contains("more than 4 bytes"))
    for length: UInt8 in [0, 1, 2, 3, 0xFC, 0xFF] {
      // The trie's length: none, no whole units, up to and beyond the end.
      var table = whole
      table[0] = length
      if length > 3 {
        table.replaceSubrange(1..<4, with: [0xFF, 0xFF, 0xFF])
      } else {
        table[1] = 0
      }
      #expect(try refusal(table: table).contains("a trie within"))
    }
    #expect(try refusal(table: Array(whole.dropLast())).contains("ended by a zero"))
    #expect(try refusal(table: whole + [0xFF, 0]).contains("UTF-8"))
    let long = [UInt8](repeating: 0x61, count: 256) + [0]
    #expect(try refusal(table: whole + long).contains("at most 255 bytes"))
    #expect(try refusal(table: [UInt8](repeating: 0, count: 4 << 20 + 1)).contains("4194304"))
  }

  private typealias TrieDamage = @Sendable (inout [UInt32]) -> Void

  private static let trieDamages: [(what: String, change: TrieDamage)] = [
    ("the root's successors out of bounds", { $0[0] = 512 << 10 }),
    ("a node's successors out of bounds", { $0[256 ^ 0x61] = 1 << 9 | 0x1FF << 10 | 0x61 }),
    ("a replacement out of bounds", { $0[256 ^ 0x60] = 1 << 31 | 2 }),
    ("a node that follows itself", { $0[256 ^ 0x61] = 0x61 << 10 | 0x61 }),
    ("a node that leads to the root", { $0[256 ^ 0x61] = 0x161 << 10 | 0x61 }),
  ]

  @Test(arguments: trieDamages.indices)
  func triesThatLeadAstrayAreRefused(_ number: Int) throws {
    let (what, change) = Self.trieDamages[number]
    let message = try refusal(table: ModelMaker.trie(change))
    #expect(message.contains("a trie that stays within its bounds"), "\(what): \(message)")
  }

  /// More rules that end on one way than the library has room for.
  @Test(arguments: [32, 33])
  func rulesWithinRules(count: Int) throws {
    var units = ModelMaker.freeUnits(256 * (count + 2))
    var base = 256
    units[0] = UInt32(base) << 10
    for _ in 0..<count {
      // A node for "a" in each block, whose successors lie in the next one; the leaf at its start.
      let node = base ^ 0x61
      let next = (base + 256)
      units[node] = UInt32(node ^ next) << 10 | 1 << 8 | 0x61
      units[next] = 1 << 31
      base = next
    }
    let table = ModelMaker.table(units, replacements: Array("b\0".utf8))
    #expect(try (refusal(table: table) == "no error") == (count <= 32))
  }
}
