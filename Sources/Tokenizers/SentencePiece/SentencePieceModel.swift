/// What a SentencePiece model file (`ModelProto` of sentencepiece_model.proto) says that this program
/// must know, looked through before the library sees it.
///
/// The library takes much on trust: places in the normaliser's table (`NormalizerTable`), scores that
/// compare, pieces over whose length it may recurse. What it would read differently than is read
/// here, such as a field of another type, is refused.
struct SentencePieceModel {
  enum PieceType: UInt64 {
    case normal = 1
    case unknown = 2
    case control = 3
    case userDefined = 4
    case unused = 5
    case byte = 6
  }

  struct Piece {
    var text: [UInt8] = []
    var type = PieceType.normal

    /// What a piece of type `byte` stands for, `<0x0A>` for 10.
    var byte: UInt8? {
      let name = String(decoding: text, as: UTF8.self)
      guard name.utf8.count == 6, name.hasPrefix("<0x"), name.hasSuffix(">") else { return nil }
      return UInt8(name.dropFirst(3).dropLast(), radix: 16)
    }
  }

  /// No public model has pieces of more than some hundred bytes.
  private static let maximumPieceByteCount = 1024
  /// Fields other than pieces: of these there are some dozens, and some samples for a self-test.
  private static let maximumOtherFieldCount = 10_000

  let file: String
  private(set) var pieces: [Piece] = []
  /// The first piece of that type; the library refuses models with none or two.
  private(set) var unknownId: Int32 = 0
  /// The control pieces of the names that the model gives for them; nil where it has none of that
  /// name.
  private(set) var startId: Int32?
  private(set) var endId: Int32?
  private(set) var padId: Int32?
  /// What an unknown token is in decoded text.
  private(set) var unknownText = Array(" \u{2047} ".utf8)
  /// Whether a text gets a space in front.
  private(set) var addsPrefixSpace = true

  /// The file while it is read.
  private var bytes: [UInt8]
  private var otherFieldCount = 0
  private var startName = Array("<s>".utf8)
  private var endName = Array("</s>".utf8)
  private var padName = Array("<pad>".utf8)

  /// - Throws: `TokenizerError`.
  init(_ bytes: [UInt8], file: String) throws {
    self.bytes = bytes
    self.file = file
    var fields = ProtobufFields(bytes, in: bytes.indices, file: file)
    var seen: Set<Int> = []
    while let field = try fields.next() {
      if field.number == 1 {
        try appendPiece(field)
        continue
      }
      try count(field)
      guard (2...5).contains(field.number) else { continue }
      guard seen.insert(field.number).inserted else {
        throw damaged(field, "field \(field.number) once", "it twice")
      }
      let parts = try parts(of: field)
      switch field.number {
      case 2: try readTrainer(parts)
      case 3: try readNormalizer(parts)
      case 4: break  // Samples.
      default: try refuseDenormalizer(parts)
      }
    }
    guard pieces.count > 0 else {
      throw FilePlace(file: file, place: "the model").damaged("pieces", "none")
    }
    self.bytes = []
    for (id, piece) in zip(Int32(0)..., pieces).reversed() {
      if piece.type == .unknown { unknownId = id }
      guard piece.type == .control else { continue }
      if piece.text == startName { startId = id }
      if piece.text == endName { endId = id }
      if piece.text == padName { padId = id }
    }
  }

  private mutating func appendPiece(_ field: ProtobufFields.Field) throws {
    guard pieces.count < TokenizerFile.maximumTokenCount else {
      throw damaged(field, "at most \(TokenizerFile.maximumTokenCount) pieces", "more")
    }
    var piece = Piece()
    var fields = ProtobufFields(bytes, in: try message(field), file: file)
    while let part = try fields.next() {
      switch part.number {
      case 1: piece.text = Array(bytes[try message(part)])
      case 2:
        guard case .fixed32(let bits) = part.value, Float(bitPattern: bits).isFinite else {
          throw damaged(part, "a finite score", "another")
        }
      case 3:
        guard let type = PieceType(rawValue: try number(part)) else {
          throw damaged(part, "a type from 1 to 6", "\(try number(part))")
        }
        piece.type = type
      default: try count(part)
      }
    }
    guard (1...Self.maximumPieceByteCount).contains(piece.text.count) else {
      throw damaged(
        field, "a piece of 1 to \(Self.maximumPieceByteCount) bytes", "\(piece.text.count)")
    }
    guard String(validating: piece.text, as: UTF8.self) != nil, !piece.text.contains(0) else {
      throw damaged(field, "a piece of UTF-8 without zeros", TokenizerFile.excerpt(piece.text))
    }
    guard piece.type != .byte || piece.byte != nil else {
      throw damaged(field, "the name of a byte", TokenizerFile.excerpt(piece.text))
    }
    pieces.append(piece)
  }

  private mutating func readTrainer(_ fields: [ProtobufFields.Field]) throws {
    for field in fields {
      switch field.number {
      case 3:
        let type = try number(field)
        guard type == 1 || type == 2 else {
          throw TokenizerError.unsupported(
            file: file, feature: "a model that is neither unigram nor BPE (model_type \(type))")
        }
      case 24 where try number(field) != 0:
        throw TokenizerError.unsupported(file: file, feature: "treat_whitespace_as_suffix")
      case 44: unknownText = Array(bytes[try message(field)])
      case 46: startName = Array(bytes[try message(field)])
      case 47: endName = Array(bytes[try message(field)])
      case 48: padName = Array(bytes[try message(field)])
      default: break
      }
    }
  }

  private mutating func readNormalizer(_ fields: [ProtobufFields.Field]) throws {
    for field in fields {
      switch field.number {
      case 2: try NormalizerTable.check(bytes[try message(field)], file: file)
      case 3: addsPrefixSpace = try number(field) != 0
      case 4: _ = try number(field)
      case 5 where try number(field) == 0:
        throw TokenizerError.unsupported(file: file, feature: "escape_whitespaces of false")
      default: break
      }
    }
  }

  private func refuseDenormalizer(_ fields: [ProtobufFields.Field]) throws {
    for field in fields where field.number == 2 {
      guard try message(field).isEmpty else {
        throw TokenizerError.unsupported(file: file, feature: "a denormaliser")
      }
    }
  }
}

extension SentencePieceModel {
  /// The fields of a message within the model.
  private mutating func parts(of field: ProtobufFields.Field) throws -> [ProtobufFields.Field] {
    var rest = ProtobufFields(bytes, in: try message(field), file: file)
    var fields: [ProtobufFields.Field] = []
    while let field = try rest.next() {
      try count(field)
      fields.append(field)
    }
    return fields
  }

  private mutating func count(_ field: ProtobufFields.Field) throws {
    otherFieldCount += 1
    guard otherFieldCount <= Self.maximumOtherFieldCount else {
      throw damaged(field, "at most \(Self.maximumOtherFieldCount) fields beside pieces", "more")
    }
  }

  private func damaged(
    _ field: ProtobufFields.Field, _ expected: String, _ found: String
  ) -> TokenizerError {
    FilePlace(file: file, place: "byte \(field.position)").damaged(expected, found)
  }

  private func message(_ field: ProtobufFields.Field) throws -> Range<Int> {
    guard case .bytes(let range) = field.value else {
      throw damaged(field, "bytes in field \(field.number)", "a number")
    }
    return range
  }

  private func number(_ field: ProtobufFields.Field) throws -> UInt64 {
    guard case .varint(let value) = field.value else {
      throw damaged(field, "a number in field \(field.number)", "bytes")
    }
    return value
  }
}
