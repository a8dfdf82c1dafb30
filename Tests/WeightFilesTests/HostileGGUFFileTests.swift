import Foundation
import TestSupport
import Testing

@testable import WeightFiles

/// GGUF files that claim what is not so: each is refused with an error that says what is wrong.
@Suite struct HostileGGUFFileTests {
  /// What the error says; nil where the file is read.
  private func refusal(_ bytes: [UInt8], name: String = "model.gguf") throws -> String? {
    let folder = try TemporaryFolder()
    let url = try folder.replace(name, with: bytes)
    do {
      _ = try WeightFolder(url)
      return nil
    } catch let error as WeightFileError {
      #expect(error.description.contains(name))
      return error.description
    }
  }

  private func expectRefusal(
    _ bytes: [UInt8], _ mention: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let text = try refusal(bytes)
    #expect(text?.contains(mention) == true, "\(text ?? "read")", sourceLocation: sourceLocation)
  }

  private static let q8 = [UInt8](repeating: 3, count: 34)

  private func maker(
    _ dimensions: [Int] = [32], type: Int = 8, bytes: [UInt8] = q8, claimedOffset: Int? = nil
  ) -> GGUFFileMaker {
    GGUFFileMaker(
      [("general.architecture", .string("llama"))],
      [.init("a", dimensions, type: type, bytes: bytes, claimedOffset: claimedOffset)])
  }

  @Test func wholeFilesAreRead() throws {
    #expect(try refusal(maker().file) == nil)
    #expect(try refusal(maker().file, name: "model.bin") == nil)
    #expect(try refusal(GGUFFileMaker().file) == nil)
  }

  @Test func otherMagicsAndVersions() throws {
    var other = maker()
    other.magic = Array("GGML".utf8)
    try expectRefusal(other.file, "does not begin with GGUF")
    try expectRefusal(Array("GG".utf8), "does not begin with GGUF")
    try expectRefusal(Array("GGUF".utf8), "a version after GGUF")
    for (version, mention) in [
      (0, "version 0"), (1, "GGUF of version 1"), (4, "version 4"), (3 << 24, "big-endian"),
    ] {
      other = maker()
      other.version = version
      try expectRefusal(other.file, mention)
    }
  }

  /// A file cut short anywhere is refused; only the padding at its end may lack.
  @Test func everyCutIsRefused() throws {
    let whole = GGUFFileMaker(
      [("texts", .array([.string("one"), .string("two")])), ("yes", .bool(true))],
      [.init("a", [32], type: 8, bytes: Self.q8)]
    ).file
    let end = whole.count - 30  // 34 bytes, padded to 64.
    for length in 1..<end {
      #expect(try refusal(Array(whole[..<length])) != nil, "\(length) of \(whole.count) bytes")
    }
    #expect(try refusal(Array(whole[..<end])) == nil)
  }

  @Test(arguments: [3, 1 << 20, 1 << 40, .max, -1]) func hugeCounts(count: Int) throws {
    var huge = maker()
    huge.claimedTensorCount = count
    #expect(try refusal(huge.file) != nil)
    huge = maker()
    huge.claimedFieldCount = count
    #expect(try refusal(huge.file) != nil)
    let length = number(count &+ 1000, 8)
    for bytes in [length, length + [UInt8](repeating: 65, count: 500)] {
      try expectRefusal(GGUFFileMaker([("a", .init(type: 8, bytes: bytes))]).file, "at most")
    }
    for type in 0...12 {
      let value = GGUFFileMaker.Value(type: 9, bytes: number(type, 4) + length)
      try expectRefusal(GGUFFileMaker([("a", value)]).file, "elements of a")
    }
  }

  @Test func damagedNotes() throws {
    let cases: [(GGUFFileMaker.Value, String)] = [
      (.init(type: 13, bytes: []), "a type of 0 to 12 for a, found 13"),
      (.init(type: 9, bytes: number(13, 4) + number(0, 8)), "a type of 0 to 12"),
      (.init(type: 7, bytes: [2]), "0 or 1 for a"),
      (.init(type: 8, bytes: number(2, 8) + [0xC0, 0x80]), "UTF-8"),
      (
        .init(type: 9, bytes: number(8, 4) + number(1, 8) + number(.max, 8)),
        "bytes of a text in a"
      ),
    ]
    for (value, mention) in cases {
      try expectRefusal(GGUFFileMaker([("a", value), ("b", .string("…"))]).file, mention)
    }
    try expectRefusal(
      GGUFFileMaker([("a", .bool(true)), ("a", .bool(true))]).file, "distinct keys")
    let longKey = String(repeating: "k", count: 65_536)
    try expectRefusal(GGUFFileMaker([(longKey, .bool(true))]).file, "at most 65535 bytes")
    try expectRefusal(GGUFFileMaker([("split.count", .uint32(3))]).file, "one of 3 parts")
    for alignment in [0, 3, 48, 1 << 21] {
      try expectRefusal(
        GGUFFileMaker([("general.alignment", .uint32(alignment))]).file, "a power of two")
    }
    try expectRefusal(
      GGUFFileMaker([("general.alignment", .string("32"))]).file, "general.alignment")
  }

  @Test func deepArrays() throws {
    func nested(_ depth: Int) -> GGUFFileMaker.Value {
      (1..<depth).reduce(.array([.bool(true)])) { value, _ in .array([value]) }
    }
    #expect(try refusal(GGUFFileMaker([("a", nested(4))]).file) == nil)
    for depth in [5, 100_000] {
      let opening = (0..<depth).flatMap { _ in number(9, 4) + number(1, 8) }
      let value = GGUFFileMaker.Value(type: 9, bytes: opening + number(7, 4) + number(0, 8))
      try expectRefusal(GGUFFileMaker([("a", value)]).file, "at most 4 deep")
    }
  }

  @Test func damagedTensors() throws {
    let cases: [(GGUFFileMaker, String)] = [
      (maker([1, 1, 1, 1, 32]), "at most 4 dimensions, found 5"),
      (maker([33]), "whole blocks"), (maker([], type: 8), "whole blocks"),
      (maker([16, 2]), "whole blocks"), (maker([128], type: 12), "whole blocks"),
      (maker([64]), "68 bytes for Q8_0 [64] within"),
      (maker([-1]), "countable size"), (maker([1 << 62, 4], type: 0), "countable size"),
      (maker([1 << 62], type: 0), "countable size"),
      (maker([32], claimedOffset: 1), "a multiple of 32"),
      (maker([32], claimedOffset: 64), "offset 64"),
      (maker([32], claimedOffset: .max - 31), "offset"),
      (maker([32], claimedOffset: -32), "offset"),
      (maker([0], claimedOffset: 96), "offset 96"),
    ]
    for (maker, mention) in cases {
      try expectRefusal(maker.file, mention)
    }
    #expect(try refusal(maker([1 << 62, 0], type: 0).file) == nil)
    var twice = maker()
    twice.tensors.append(twice.tensors[0])
    try expectRefusal(twice.file, "distinct tensor names")
  }

  /// A thousand tensors of the same bytes would make a thousand times the file.
  @Test func tensorsThatShareAllBytes() throws {
    let tensors = (0..<1000).map {
      GGUFFileMaker.Tensor(
        "t\($0)", [32], type: 8, bytes: $0 == 0 ? Self.q8 : [], claimedOffset: 0)
    }
    try expectRefusal(GGUFFileMaker([], tensors).file, "bytes in all")
  }
}
