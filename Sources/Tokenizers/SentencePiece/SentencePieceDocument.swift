import Files
import Foundation

/// `tokenizer.json` as the Hugging Face library saves the tokenizers of Llama and T5: a SentencePiece model in
/// other words, which are put back into those of `sentencepiece_model.proto`, so that texts are cut as with
/// the `tokenizer.model` or `spiece.model` that it was made from. What such a model cannot say is refused.
struct SentencePieceDocument {
  private let document: JSONField
  private let model: JSONField
  private let isUnigram: Bool
  private var pieces: [(text: [UInt8], score: Float)] = []
  let addedTokens: [AddedToken]

  /// Whether the document is of this kind, rather than of byte-level tokens.
  static func fits(_ document: JSONField) throws -> Bool {
    guard let type = try document.required("model").member("type")?.text(),
      ["Unigram", "BPE"].contains(type)
    else { return false }
    let steps = try document.steps(of: "pre_tokenizer") + document.steps(of: "decoder")
    return try steps.allSatisfy { try $0.type() != "ByteLevel" }
  }

  init(_ document: JSONField) throws {
    self.document = document
    model = try document.required("model")
    isUnigram = try model.member("type")?.text() == "Unigram"
    addedTokens = try document.addedTokens(strippingSentinels: true)
    if isUnigram { try readScores() } else { try readMerges() }
  }

  // MARK: Pieces

  private mutating func readScores() throws {
    for entry in try model.required("vocab").elements() {
      let pair = try entry.elements()
      guard pair.count == 2, case .number(let text) = pair[1].value, let score = Float(text) else {
        throw entry.mismatch("a piece and its score")
      }
      pieces.append((try pair[0].bytes(), score))
    }
  }

  /// Pieces score by the rank of the merges that make them.
  private mutating func readMerges() throws {
    let vocabulary = try TokenNames(model.required("vocab"))
    let merges = try model.required("merges").elements()
    var ranks: [[UInt8]: Int] = [:]
    var pairCounts: [[UInt8]: Int] = [:]
    var last: [UInt8] = []
    for (rank, merge) in merges.enumerated() {
      let (left, right) = try merge.pair()
      let result = left + right
      // The model knows what merges into what by the result alone.
      if result != last, ranks.updateValue(rank, forKey: result) != nil {
        throw unlike("merges into \(TokenizerFile.excerpt(result)) with others between")
      }
      last = result
      pairCounts[result, default: 0] += 1
    }
    let added = Set(addedTokens.map(\.text))
    pieces = try vocabulary.tokens.enumerated().map { id, token in
      guard let token else { throw unlike("a vocabulary without token \(id)") }
      return (token, -Float(ranks[token] ?? merges.count + id))
    }
    let known = Set(pieces.map(\.text)).subtracting(added)
    for token in known where !Self.isByte(token) {
      let splits = token.indices.dropFirst().count { place in
        known.contains(Array(token[..<place])) && known.contains(Array(token[place...]))
      }
      guard splits == pairCounts[token] ?? 0 else {
        throw unlike(
          "\(pairCounts[token] ?? 0) of \(splits) merges into \(TokenizerFile.excerpt(token))")
      }
    }
  }

  private func unlike(_ feature: String) -> TokenizerError { document.unsupported(feature) }

  private static func isByte(_ token: [UInt8]) -> Bool {
    SentencePieceModel.Piece(text: token).byte != nil
  }

  /// Which piece stands for what is unknown.
  private func unknownId() throws -> Int {
    if let id = try model.member("unk_id")?.integer() { return id }
    let name = try model.member("unk_token")?.bytes() ?? Array("<unk>".utf8)
    guard let id = pieces.firstIndex(where: { $0.text == name }) else {
      throw TokenizerError.missingToken(
        file: document.file, token: String(decoding: name, as: UTF8.self))
    }
    return id
  }

  // MARK: Preparation of texts

  private struct Preparation {
    var table: [UInt8] = []
    var addsPrefixSpace = false
    var removesExtraSpaces = false
  }

  private func preparation() throws -> Preparation {
    var result = Preparation()
    for step in try document.steps(of: "normalizer") + document.steps(of: "pre_tokenizer") {
      switch try step.type() {
      case "Precompiled":
        let text = try step.required("precompiled_charsmap").text()
        guard let table = Data(base64Encoded: text) else { throw step.mismatch("base64") }
        result.table = Array(table)
      case "Prepend":
        try step.expect("prepend", "\u{2581}")
        result.addsPrefixSpace = true
      case "Replace":
        let pattern = try step.required("pattern")
        let content = try step.required("content").text()
        if try pattern.member("String")?.text() == " ", content == "\u{2581}" { continue }
        guard try pattern.member("Regex")?.text() == " {2,}", [" ", "\u{2581}"].contains(content)
        else { throw step.unsupported("its pattern") }
        result.removesExtraSpaces = true
      case "Strip", "WhitespaceSplit": result.removesExtraSpaces = true
      case "Metaspace":
        try step.expect("replacement", "\u{2581}")
        let scheme = try step.member("prepend_scheme")?.text()
        result.addsPrefixSpace =
          try scheme.map { $0 != "never" } ?? step.flag("add_prefix_space", default: true)
      case let type: throw step.unsupported("the step \(type)")
      }
    }
    return result
  }

  // MARK: The model

  /// The file that sentencepiece reads.
  func modelProto() throws -> [UInt8] {
    let preparation = try preparation()
    let unknown = try unknownId()
    let added = Dictionary(
      addedTokens.map { (Int($0.id), $0) }, uniquingKeysWith: { first, _ in first })
    // The library wants all of them or none.
    let hasBytes = try model.flag("byte_fallback") && pieces.count { Self.isByte($0.text) } == 256
    var proto = ProtobufWriter()
    for (id, piece) in pieces.enumerated() {
      let type: SentencePieceModel.PieceType =
        if id == unknown {
          .unknown
        } else if let token = added[id] {
          token.isSpecial ? .control : .userDefined
        } else {
          hasBytes && Self.isByte(piece.text) ? .byte : .normal
        }
      proto.message(1) {
        $0.bytes(1, piece.text)
        $0.float(2, piece.score)
        $0.varint(3, type.rawValue)
      }
    }
    proto.message(2) {
      $0.varint(3, isUnigram ? 1 : 2)
      $0.varint(35, hasBytes ? 1 : 0)
      $0.varint(40, UInt64(unknown))
    }
    proto.message(3) {
      $0.bytes(2, preparation.table)
      $0.varint(3, preparation.addsPrefixSpace ? 1 : 0)
      $0.varint(4, preparation.removesExtraSpaces ? 1 : 0)
      $0.varint(5, 1)
    }
    return proto.bytes
  }
}

extension JSONField {
  /// The steps of a part: none where it is missing, those of a sequence, or it alone.
  fileprivate func steps(of name: String) throws -> [JSONField] {
    guard let part = try member(name) else { return [] }
    guard try part.type() == "Sequence" else { return [part] }
    for name in ["normalizers", "pretokenizers", "decoders"] {
      if let steps = try part.member(name) { return try steps.elements() }
    }
    throw part.mismatch("steps", found: "none")
  }

  fileprivate func expect(_ name: String, _ value: String) throws {
    guard try required(name).text() == value else { throw unsupported("another \(name)") }
  }
}

/// Writes a message of Protocol Buffers.
private struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  mutating func varint(_ field: Int, _ value: UInt64) {
    append(UInt64(field) << 3)
    append(value)
  }

  mutating func bytes(_ field: Int, _ value: [UInt8]) {
    append(UInt64(field) << 3 | 2)
    append(UInt64(value.count))
    bytes += value
  }

  mutating func float(_ field: Int, _ value: Float) {
    append(UInt64(field) << 3 | 5)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }

  mutating func message(_ field: Int, _ write: (inout ProtobufWriter) -> Void) {
    var inner = ProtobufWriter()
    write(&inner)
    bytes(field, inner.bytes)
  }

  private mutating func append(_ value: UInt64) {
    var rest = value
    while rest > 0x7F {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
