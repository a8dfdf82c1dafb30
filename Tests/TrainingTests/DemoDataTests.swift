import Foundation
import TestSupport
import Testing

@testable import Training

/// The demo's data is what its README promises.
@Suite struct DemoDataTests {
  private struct Pair: Decodable {
    let image: String
    let caption: [String]
    let imageId: String
  }

  private func pairs(_ name: String) throws -> [Pair] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let file = Goldens.repository.appendingPathComponent("Data/demo/\(name).jsonl")
    return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map {
      try decoder.decode(Pair.self, from: Data($0.utf8))
    }
  }

  @Test func trainAndHeldOutShareNothing() throws {
    let (train, heldOut) = (try pairs("train"), try pairs("heldout"))
    #expect(train.count > 1000 && heldOut.count > 100)
    let keys: [(Pair) -> [String]] = [{ [$0.image] }, { $0.caption }, { [$0.imageId] }]
    for key in keys {
      let (first, second) = (train.flatMap(key), heldOut.flatMap(key))
      #expect(Set(first).isDisjoint(with: second))
      #expect(Set(first).count == first.count && Set(second).count == second.count)
    }
  }

  @Test func theFolderStaysSmall() throws {
    let languageModels = try ["opt", "t5"].map { try size(of: $0) }
    #expect(languageModels.allSatisfy { $0 > 0 && $0 <= 4_000_000 })
    #expect(try size(of: "") - languageModels.reduce(0, +) <= 8_000_000)
  }

  /// The bytes of all files below a folder of the demo.
  private func size(of name: String) throws -> Int {
    let folder = Goldens.repository.appendingPathComponent("Data/demo/\(name)")
    let files = FileManager.default.enumerator(
      at: folder, includingPropertiesForKeys: [.fileSizeKey])
    return try #require(files).compactMap { $0 as? URL }.reduce(0) {
      $0 + ((try? $1.resourceValues(forKeys: [.fileSizeKey]).fileSize) ?? 0)
    }
  }

  @Test(arguments: ["opt", "t5"])
  func languageModelsHaveSmallTokenizersOfTheirOwn(_ family: String) throws {
    var configuration = LanguageModelConfiguration()
    configuration.path = Goldens.repository.appendingPathComponent("Data/demo/\(family)").path
    let model = try FrozenLanguageModel(configuration)
    #expect(model.tokenizer.vocabularySize <= 2000)
    #expect(
      model.tokenizer.decode(
        model.tokenizer.encode("grinning face"), skippingSpecialTokens: true) == "grinning face")
  }
}
