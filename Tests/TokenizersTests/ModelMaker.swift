import Foundation

/// Writes SentencePiece models: Protocol Buffers messages, field by field.
struct ModelMaker {
  typealias Field = [UInt8]

  static func varint(_ value: UInt64) -> [UInt8] {
    var rest = value
    var result: [UInt8] = []
    repeat {
      result.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
      rest >>= 7
    } while rest > 0
    return result
  }

  static func number(_ field: UInt64, _ value: UInt64) -> Field {
    varint(field << 3) + varint(value)
  }

  static func bytes(_ field: UInt64, _ value: [UInt8]) -> Field {
    varint(field << 3 | 2) + varint(UInt64(value.count)) + value
  }

  static func text(_ field: UInt64, _ value: String) -> Field { bytes(field, Array(value.utf8)) }

  static func score(_ value: Float) -> Field {
    [2 << 3 | 5] + withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
  }

  static func piece(_ text: String, _ type: UInt64 = 1, score: Float = 0) -> Field {
    bytes(1, Self.text(1, text) + Self.score(score) + number(3, type))
  }

  var names: [String] = []
  var pieces: [Field] = []
  var trainer: Field = []
  var normalizer: Field = []
  var rest: Field = []

  var file: [UInt8] {
    pieces.flatMap { $0 } + Self.bytes(2, trainer) + Self.bytes(3, normalizer) + rest
  }

  func id(_ name: String) -> Int32 { Int32(names.firstIndex(of: name) ?? -1) }

  mutating func append(_ name: String, _ type: UInt64 = 1) {
    // Pieces that come earlier merge earlier.
    pieces.append(Self.piece(name, type, score: -Float(names.count)))
    names.append(name)
  }

  /// A unigram model of a few letters.
  static let unigram: ModelMaker = {
    var model = ModelMaker()
    model.append("<unk>", 2)
    model.append("<s>", 3)
    model.append("</s>", 3)
    for name in ["▁", "a", "b", "ab", "▁a"] { model.append(name) }
    model.trainer = number(3, 1)
    return model
  }()

  static let llama: ModelMaker = {
    var model = ModelMaker()
    model.append("<unk>", 2)
    model.append("<s>", 3)
    model.append("</s>", 3)
    for byte in 0..<256 { model.append(String(format: "<0x%02X>", byte), 6) }
    for name in ["ab", "▁a", "▁ab", "▁", "a", "b"] { model.append(name) }
    model.trainer = number(3, 2) + number(35, 1)
    model.normalizer = text(1, "identity") + number(3, 1) + number(4, 0)
    return model
  }()

  /// A normaliser's table: units of a trie and what they point to.
  static func table(_ units: [UInt32], replacements: [UInt8]) -> [UInt8] {
    func bytes(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    return bytes(UInt32(units.count * 4)) + units.flatMap(bytes) + replacements
  }

  /// Units that follow none: their labels are not those of their places.
  static func freeUnits(_ count: Int) -> [UInt32] { (0..<UInt32(count)).map { $0 & 0xFF ^ 1 } }

  /// A trie whose one rule makes `a` a `b`, with room for what a test changes.
  static func trie(_ change: (inout [UInt32]) -> Void) -> [UInt8] {
    var units = freeUnits(512)
    units[0] = 256 << 10
    let node = 256 ^ 0x61
    // Its leaf lies at an offset of 1.
    units[node] = 1 << 10 | 1 << 8 | 0x61
    units[node ^ 1] = 1 << 31
    change(&units)
    return table(units, replacements: Array("b\0".utf8))
  }
}
