import Foundation
import TestSupport
import Testing

@testable import LanguageModels

/// Decoding over a table of logits against transformers, see `Tests/Fixtures`.
@Suite struct TransformersTests {
  struct Fixture: Decodable {
    struct Settings: Decodable {
      let maxNewTokens: Int
      let eosTokenId: [Int32]
      let minNewTokens: Int?
      let repetitionPenalty: Float?
      let lengthPenalty: Float?
      let numBeams: Int?
      let numReturnSequences: Int?

      var options: GenerationOptions {
        var options = GenerationOptions.original(endIds: eosTokenId)
        options.method = numBeams.map { .beams($0) } ?? .greedy
        options.maximumNewTokens = maxNewTokens
        options.minimumNewTokens = minNewTokens ?? 0
        options.repetitionPenalty = repetitionPenalty ?? 1
        options.lengthPenalty = lengthPenalty ?? 1
        options.returned = numReturnSequences ?? 1
        return options
      }
    }

    struct Decoding: Decodable {
      let settings: Settings
      let sequences: [[Int32]]
      let scores: [Float]?
    }

    struct Kept: Decodable {
      let temperature: Float
      let topK: Int?
      let topP: Float
      let tokens: [Int32]
    }

    struct Sampling: Decodable {
      let logits: [Int]
      let kept: [Kept]
    }

    let vocabulary: Int
    let unit: Float
    let table: [Int]
    let prompts: [[Int32]]
    let decoding: [Decoding]
    let sampling: [Sampling]
  }

  private let fixture: Fixture

  init() throws {
    let file = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures/generation/cases.json")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    fixture = try decoder.decode(Fixture.self, from: Foundation.Data(contentsOf: file))
  }

  @Test func decoding() throws {
    let model = ToyModel(vocabulary: fixture.vocabulary) { prompt, tokens in
      let last = (fixture.prompts[prompt] + tokens).suffix(2).reduce(0) {
        $0 * fixture.vocabulary + Int($1)
      }
      return fixture.table[last * fixture.vocabulary..<(last + 1) * fixture.vocabulary].map {
        Float($0) / fixture.unit
      }
    }
    #expect(!fixture.decoding.isEmpty)
    for decoding in fixture.decoding {
      let found = try TextGenerator(decoding.settings.options).sequences(
        model.session(prompts: fixture.prompts.count), priorTokens: fixture.prompts
      ).flatMap { $0 }
      #expect(found.map(\.tokens) == decoding.sequences, "\(decoding.settings)")
      for (found, expected) in zip(found, decoding.scores ?? []) {
        #expect(abs(found.score - expected) <= 1e-5 * abs(expected) + 1e-6)
      }
    }
  }

  /// Evenly spaced draws reach every token that transformers keeps, if it is likely enough, and none
  /// that it does not.
  @Test func sampling() throws {
    #expect(!fixture.sampling.isEmpty)
    let draws = 2000
    for row in fixture.sampling {
      let logits = row.logits.map { Float($0) / fixture.unit }
      for kept in row.kept {
        let sampler = TokenSampler(
          options: .init(topP: kept.topP, temperature: kept.temperature, topK: kept.topK))
        var counts: [Int32: Int] = [:]
        for index in 0..<draws {
          var row = logits
          let token = row.withUnsafeMutableBufferPointer { row in
            row.baseAddress.flatMap {
              sampler.draw(
                LogitRow(values: $0, count: row.count),
                uniform: (Double(index) + 0.5) / Double(draws))
            }
          }
          counts[try #require(token), default: 0] += 1
        }
        #expect(Set(counts.keys).isSubset(of: kept.tokens))
        let weights = kept.tokens.map { exp(Double(logits[Int($0)] / kept.temperature)) }
        let total = weights.reduce(0, +)
        for (token, weight) in zip(kept.tokens, weights) {
          #expect(abs(Double(counts[token] ?? 0) - weight / total * Double(draws)) < 1.01)
        }
      }
    }
  }
}
