import Foundation
import Tensors
import TestSupport
import Testing

@testable import WeightFiles

/// GGUF files that the reference implementation wrote, and files made by hand.
@Suite struct GGUFFileTests {
  static let folders = Goldens.folders(beginning: "gguf", with: "golden.safetensors")

  static func files(in folder: URL) -> [URL] {
    Goldens.files(in: folder.lastPathComponent, ending: ".gguf")
  }

  @Test func goldensArePresent() {
    #expect(!Self.folders.isEmpty && Self.folders.allSatisfy { !Self.files(in: $0).isEmpty })
  }

  /// Every tensor has the very values that the reference implementation gives it.
  @Test(arguments: folders) func goldenValuesAreExact(folder: URL) throws {
    let golden = try Golden(folder.appendingPathComponent("golden.safetensors"))
    for url in Self.files(in: folder) {
      let weights = try WeightFolder(url)
      #expect(weights.names == golden.file.names)
      for name in weights.names {
        let stored = try weights.tensor(named: name)
        let expected = try golden.tensor(name)
        #expect(try weights.shape(of: name) == expected.shape && stored.shape == expected.shape)
        let bits = expected.values.map(\.bitPattern)
        #expect(try stored.tensor().values.map(\.bitPattern) == bits, "\(name)")
        #expect(try stored.floats().map(\.bitPattern) == bits, "\(name)")
        let weight = try stored.matrixWeight()
        #expect(weight.format.rawValue == name)
        #expect(weight.expanded().values.map(\.bitPattern) == bits, "\(name)")
        #expect([weight.outputs, weight.inputs] == expected.shape)
      }
      #expect(Set(weights.names) == Set(NumberFormat.allCases.map(\.rawValue)))
    }
  }

  @Test(arguments: folders) func goldenMetadataReads(folder: URL) throws {
    for url in Self.files(in: folder) {
      let weights = try WeightFolder(url)
      let fields = try #require(weights.gguf).fields
      let architecture = try fields.string("general.architecture")
      #expect(!architecture.isEmpty && weights.metadata["general.architecture"] == architecture)
      #expect(try fields.integer("\(architecture).block_count") > 0)
      #expect(try fields.float("\(architecture).rope.freq_base") > 1)
      let tokens = try fields.strings("tokenizer.ggml.tokens")
      #expect(!tokens.isEmpty && Set(tokens).count == tokens.count)
      let types = try fields.integers("tokenizer.ggml.token_type")
      #expect(types.count == tokens.count)
    }
  }

  /// Opens a file made by hand.
  static func open(_ maker: GGUFFileMaker) throws -> GGUFFile {
    let folder = try TemporaryFolder()
    return try GGUFFile(try folder.replace("model.gguf", with: maker.file))
  }

  @Test(arguments: [2, 3]) func everyKindOfNote(version: Int) throws {
    let texts = ["", "é", "日本", "a b"]
    var maker = GGUFFileMaker([
      ("text", .string("naïve")), ("small", .uint32(7)), ("negative", .int64(-9)),
      ("large", .uint64(.max)), ("number", .float(-0.1)), ("yes", .bool(true)),
      ("no", .bool(false)), ("texts", .array(texts.map { .string($0) })), ("none", .array([])),
      ("integers", .array([.int64(-1), .int64(1 << 40)])),
      ("floats", .array([.float(0.5), .float(-3)])),
      ("unsigned", .array([.uint64(3), .uint64(.max)])),
      ("nested", .array([.array([.uint32(1)]), .array([.uint32(2), .uint32(3)])])),
      ("byte", .init(type: 0, bytes: [200])), ("signed byte", .init(type: 1, bytes: [200])),
      ("double", .init(type: 12, bytes: number(Int(bitPattern: UInt(1.5.bitPattern)), 8))),
    ])
    maker.version = version
    let file = try Self.open(maker)
    let fields = file.fields
    #expect(fields.keys == maker.fields.map(\.0).sorted())
    #expect(file.metadata == ["text": "naïve"] && file.names == [])
    #expect(try fields.string("text") == "naïve")
    #expect(try fields.integer("small") == 7 && fields.integer("negative") == -9)
    #expect(try fields.integer("byte") == 200 && fields.integer("signed byte") == -56)
    #expect(try fields.float("number") == -0.1 && fields.float("double") == 1.5)
    #expect(try fields.bool("yes") && !fields.bool("no"))
    #expect(try fields.strings("texts") == texts && fields.strings("none") == [])
    #expect(try fields.integers("integers") == [-1, 1 << 40])
    #expect(try fields.floats("floats") == [0.5, -3])
    #expect(fields.contains("nested") && !fields.contains("other"))
  }

  @Test func wrongNotesAreNamed() throws {
    let file = try Self.open(
      GGUFFileMaker([
        ("large", .uint64(.max)), ("text", .string("x")),
        ("unsigned", .array([.uint64(.max)])), ("texts", .array([.string("a")])),
        ("broken", .init(type: 9, bytes: number(8, 4) + number(1, 8) + number(1, 8) + [0xFF])),
      ]))
    func message(_ read: (GGUFFields) throws -> Void) -> String {
      #expect(throws: WeightFileError.self) { try read(file.fields) }?.description ?? ""
    }
    let cases: [(String, [String])] = [
      (message { _ = try $0.integer("large") }, ["large", "whole number", "18446744073709551615"]),
      (message { _ = try $0.integer("text") }, ["metadata text", "whole number", "found text"]),
      (message { _ = try $0.float("missing") }, ["missing", "floating-point", "found none"]),
      (message { _ = try $0.string("large") }, ["large", "expected text"]),
      (message { _ = try $0.bool("large") }, ["large", "true or false"]),
      (message { _ = try $0.integers("unsigned") }, ["unsigned", "array of whole numbers"]),
      (message { _ = try $0.floats("texts") }, ["texts", "an array of 1 string"]),
      (message { _ = try $0.strings("broken") }, ["broken", "UTF-8"]),
      (message { _ = try $0.strings("text") }, ["text", "array of texts"]),
    ]
    for (message, mentions) in cases {
      #expect(mentions.allSatisfy(message.contains), "\(message)")
      #expect(message.contains("model.gguf"))
    }
  }

  /// A vocabulary of the usual size takes hardly any time.
  @Test func largeVocabulary() throws {
    let tokens = (0..<49_152).map { "token \($0)" }
    let file = try Self.open(GGUFFileMaker([("tokens", .array(tokens.map { .string($0) }))]))
    var read: [String] = []
    let duration = try WorkTime.measure { read = try file.fields.strings("tokens") }
    #expect(read == tokens && duration < .seconds(10))
  }

  @Test(arguments: [32, 8, 256]) func tensorsOfOtherKinds(alignment: Int) throws {
    let half = (0..<12).flatMap { number(Int(Float16($0).bitPattern), 2) }
    var maker = GGUFFileMaker(
      [("general.alignment", .uint32(alignment))],
      [
        .init("half", [3, 2, 2], type: 1, bytes: half),
        .init("integers", [2], type: 26, bytes: number(5, 4) + number(-6, 4)),
        .init("strange", [256], type: 10, bytes: [UInt8](repeating: 1, count: 84)),
        .init("double", [1, 2], type: 28, bytes: number(0, 15) + [0x40]),
        .init("empty", [0, 4], type: 0, bytes: []),
        .init("scalar", [], type: 30, bytes: [0x80, 0x3F]),
      ])
    maker.alignment = alignment
    let file = try Self.open(maker)
    #expect(file.names == ["double", "empty", "half", "integers", "scalar", "strange"])
    #expect(try file.tensor(named: "half").shape == [2, 2, 3])
    #expect(try file.tensor(named: "half").floats() == (0..<12).map { Float($0) })
    #expect(try file.tensor(named: "integers").integers() == [5, -6])
    #expect(try file.tensor(named: "double").floats() == [0, 2])
    #expect(try file.tensor(named: "empty").floats() == [] && file.shape(of: "empty") == [4, 0])
    #expect(try file.tensor(named: "scalar").tensor().scalar == 1)
    // A type that is not read is of no consequence until it is wanted.
    #expect(file.contains("strange") && !file.contains("other"))
    let refusals: [(String, () throws -> Void)] = [
      ("Q2_K", { _ = try file.tensor(named: "strange") }),
      ("Q2_K", { _ = try file.shape(of: "strange") }),
      ("other: not in", { _ = try file.tensor(named: "other") }),
      ("found [2, 2, 3]", { _ = try file.tensor(named: "half").matrixWeight() }),
      ("found [4, 0]", { _ = try file.tensor(named: "empty").matrixWeight() }),
      ("found F64", { _ = try file.tensor(named: "double").matrixWeight() }),
      ("found I32", { _ = try file.tensor(named: "integers").matrixWeight() }),
      ("found I32", { _ = try file.tensor(named: "integers").tensor() }),
    ]
    for (mention, body) in refusals {
      let error = #expect(throws: WeightFileError.self) { try body() }
      #expect(error?.description.contains(mention) == true, "\(error?.description ?? "")")
    }
    #expect(throws: WeightFileError.self) { try file.tensor(named: "half").integers() }
  }

  /// A weight reads its file though nothing else holds it.
  @Test func weightsKeepTheirFile() throws {
    let url = try #require(Self.folders.first.map(Self.files)?.first)
    let weight: StoredWeight
    do {
      let weights = try WeightFolder(url)
      weight = try weights.tensor(named: try #require(weights.names.first)).matrixWeight()
    }
    #expect(
      weight.rows([0, 1]).values == Array(weight.expanded().values.prefix(2 * weight.inputs)))
  }

  /// Weights of other files, also a transposed one that had to be put in order.
  @Test func otherFormatsGiveWeights() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appendingPathComponent("model.safetensors")
    let values: [Float] = [1, 2, 3, 4, 5, 6]
    try SafetensorsWriter.write(
      [
        "half": .init(shape: [2, 3], values: values, precision: .float16),
        "wide": .init(shape: [3, 2], values: values),
      ], to: url)
    let weights = try WeightFolder(url)
    #expect(weights.gguf == nil)
    let half = try weights.tensor(named: "half").matrixWeight()
    #expect(half.format == .float16 && half.expanded().values == values && half.outputs == 2)
    let wide = try weights.tensor(named: "wide").matrixWeight()
    #expect(wide.format == .float32 && wide.rows([2]).values == [5, 6])
  }
}
