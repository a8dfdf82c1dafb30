import Foundation
import TestSupport
import Testing
import Tokenizers

/// Damaged models end in tokenizers that work or in a `TokenizerError`, soon: the library, which
/// trusts its models, never ends the process.
@Suite struct SentencePieceFuzzTests {
  private func fuzz(
    _ reader: String, _ samples: [FuzzRun.Sample],
    damage: (inout Mutator, [UInt8], [UInt8]) -> [UInt8]
  ) throws {
    let folder = try TemporaryFolder()
    let run = FuzzRun(reader: reader, samples: samples) { $0 is TokenizerError }
    let report = run.run(damage: damage) { bytes in
      let file = try folder.replace("spiece.model", with: bytes)
      ByteLevelBPEFuzzTests.use(try SentencePieceTokenizer(modelFile: file, extraIds: 3))
    }
    ByteLevelBPEFuzzTests.check(report)
  }

  private var withTable: ModelMaker {
    var model = ModelMaker.unigram
    model.normalizer = ModelMaker.bytes(2, ModelMaker.trie { _ in }) + ModelMaker.number(4, 1)
    return model
  }

  private var small: [FuzzRun.Sample] {
    [("unigram", ModelMaker.unigram), ("llama", .llama), ("table", withTable)].map {
      FuzzRun.Sample(name: $0, bytes: $1.file)
    }
  }

  @Test func wholeModels() throws {
    try fuzz("sentencepiece", try small + [FuzzRun.Sample(T5Goldens.modelFile)]) {
      mutator, bytes, other in mutator.mutated(bytes, with: other)
    }
  }

  /// The messages within, their lengths put right.
  @Test func pieces() throws {
    try fuzz("sentencepiece-pieces", [FuzzRun.Sample(name: "unigram", bytes: [])]) {
      mutator, _, _ in
      var model = mutator.below(2) == 0 ? ModelMaker.unigram : withTable
      for _ in 0...mutator.below(3) {
        let place = mutator.below(model.pieces.count)
        model.pieces[place] = ModelMaker.bytes(
          1, mutator.mutated(Array(model.pieces[place].dropFirst(2))))
      }
      if mutator.below(2) == 0 { model.trainer = mutator.mutated(model.trainer) }
      return model.file
    }
  }

  @Test func normaliserTables() throws {
    let sound = ModelMaker.trie { _ in }
    try fuzz("sentencepiece-tables", [FuzzRun.Sample(name: "table", bytes: sound)]) {
      mutator, bytes, _ in
      // Near the nodes that matter, or anywhere.
      let places = [0, 4 * (1 + (256 ^ 0x61)), 4 * (1 + (256 ^ 0x60)), bytes.count - 8]
      var table = bytes
      let start = max(0, places[mutator.below(places.count)])
      if mutator.below(4) > 0 {
        let changed = mutator.mutated(Array(table[start..<start + 8]))
        table.replaceSubrange(start..<start + 8, with: changed)
      } else {
        table = mutator.mutated(table)
      }
      var model = ModelMaker.unigram
      model.normalizer = ModelMaker.bytes(2, table) + ModelMaker.number(4, 1)
      return model.file
    }
  }
}
