import Datasets
import Foundation
import TestSupport
import Testing

@testable import Recipes

/// The demo's data is what its README promises.
@Suite struct DemoDataTests {
  private static func demo(_ name: String) -> URL {
    Goldens.repository.appendingPathComponent("Data/demo/\(name)")
  }

  private static let heldOut = ["heldout.jsonl", "heldout-hard.jsonl"]

  private static func records(_ name: String) throws -> [CaptionRecord] {
    var configuration = DataSourceConfiguration()
    configuration.path = demo(name).path
    let source = try #require(try configuration.source())
    return try (0..<source.imageCount).map { try source.record(at: $0) }
  }

  /// What a scene shows: each two of its objects, or one object's number.
  private struct Scene {
    let combinations: Set<String>
    let nouns: Set<String>

    private static let others: Set<String> = [
      "a", "an", "on", "of", "the", "to", "from", "and", "there", "is", "are", "image", "small",
      "big", "left", "right", "top", "bottom", "above", "below", "over", "under", "red", "blue",
      "green", "yellow", "white", "gray", "purple", "orange",
    ]
    private static let numbers: Set<String> = ["two", "three", "four"]

    init(_ caption: String) {
      let words = caption.split { !$0.isLetter }.map(String.init)
        .filter { !Scene.others.contains($0) }
      if let number = words.first, Scene.numbers.contains(number) {
        combinations = [words.joined(separator: " ")]
        nouns = []
        return
      }
      let nouns = Set(words).sorted()
      combinations = Set(
        nouns.indices.flatMap { first in
          nouns.indices.filter { $0 > first }.map { "\(nouns[first]) \(nouns[$0])" }
        })
      self.nouns = Set(nouns)
    }
  }

  private static func combinations(_ name: String) throws -> Set<String> {
    try records(name).reduce(into: []) { $0.formUnion(Scene($1.captions[0]).combinations) }
  }

  @Test func noHeldOutCombinationOccursInTraining() throws {
    let train = try Self.combinations("train")
    #expect(train.count > 1000)
    for name in Self.heldOut {
      for record in try Self.records(name) {
        let combinations = Scene(record.captions[0]).combinations
        #expect(!combinations.isEmpty, "\(record.captions)")
        #expect(train.isDisjoint(with: combinations), "\(record.captions)")
      }
    }
  }

  @Test func everyObjectOfTheHeldOutScenesIsSeenInTraining() throws {
    let train = try Self.records("train").reduce(into: Set<String>()) {
      $0.formUnion(Scene($1.captions[0]).nouns)
    }
    #expect((80...120).contains(train.count))
    for name in Self.heldOut {
      for record in try Self.records(name) {
        #expect(Scene(record.captions[0]).nouns.isSubset(of: train), "\(record.captions)")
      }
    }
    for record in try Self.records("heldout-unseen.jsonl") {
      #expect(Scene(record.captions[0]).nouns.subtracting(train).count == 1, "\(record.captions)")
    }
  }

  @Test func captionsTellScenesApart() throws {
    for name in Self.heldOut {
      let records = try Self.records(name)
      #expect(records.count == 300)
      #expect(records.allSatisfy { $0.captions.count == 1 })
      #expect(Set(records.map { $0.captions[0] }).count == records.count)
    }
    let train = try Self.records("train")
    #expect(train.count == 4000 && train.allSatisfy { $0.captions.count > 1 })
    #expect(Set(train.flatMap(\.captions)).count == train.reduce(0) { $0 + $1.captions.count })
  }

  /// A bag of objects cannot rank these: three of four show the same two.
  @Test func fourScenesOfTheHardListAreAlike() throws {
    let records = try Self.records("heldout-hard.jsonl")
    for group in stride(from: 0, to: records.count, by: 4) {
      let combinations = records[group..<group + 4].map { Scene($0.captions[0]).combinations }
      #expect(Set(combinations).count == 1)
    }
  }

  @Test func theLooseTrainScenesAreThoseOfTheShards() throws {
    let shards = Set(try Self.records("train").map { $0.captions })
    let loose = try Self.records("train.jsonl")
    #expect(loose.count >= 24 && loose.allSatisfy { shards.contains($0.captions) })
  }

  @Test func questionsHaveAnswersAndImages() throws {
    let set = try QuestionSet(questions: Self.demo("questions.json"))
    #expect(set.items.count > 600 && set.unanswered.isEmpty)
    #expect(set.items.allSatisfy { Set($0.answers).count == 1 && $0.answers.count == 10 })
    let counts = Dictionary(grouping: set.items.map { $0.answers[0] }, by: { $0 }).mapValues(
      \.count)
    let most = try #require(counts.values.max())
    #expect(most * 4 < set.items.count, "one answer would be right too often")
  }

  @Test func theFolderStaysSmall() throws {
    for name in ["encoder", "opt", "t5"] { #expect((1...4_500_000).contains(try size(of: name))) }
    #expect(try size(of: "images") <= 1_000_000)
    #expect(try size(of: "train") <= 12_500_000)
  }

  /// The bytes of all files below a folder of the demo.
  private func size(of name: String) throws -> Int {
    let files = FileManager.default.enumerator(
      at: Self.demo(name), includingPropertiesForKeys: [.fileSizeKey])
    return try #require(files).compactMap { $0 as? URL }.reduce(0) {
      $0 + ((try? $1.resourceValues(forKeys: [.fileSizeKey]).fileSize) ?? 0)
    }
  }

  @Test(arguments: ["opt", "t5"])
  func languageModelsHaveSmallTokenizersOfTheirOwn(_ family: String) throws {
    var configuration = LanguageModelConfiguration()
    configuration.path = Self.demo(family).path
    let model = try FrozenLanguageModel(configuration)
    #expect(model.tokenizer.vocabularySize <= 2000)
    let text = "a dolphin left of a lollipop on orange"
    #expect(
      model.tokenizer.decode(model.tokenizer.encode(text), skippingSpecialTokens: true) == text)
  }
}
