import Foundation
import TestSupport
import Testing

@testable import LanguageModels

@Suite struct SamplingTests {
  private static let logits: [Float] = {
    var random = SeededGenerator(9)
    return (0..<333).map { _ in Float.random(in: -6...6, using: &random) }
  }()

  private func draw(
    _ logits: [Float], _ sampling: GenerationOptions.Sampling, at uniform: Double
  ) -> Int32? {
    var row = logits
    return row.withUnsafeMutableBufferPointer { row in
      row.baseAddress.flatMap {
        TokenSampler(options: sampling).draw(
          LogitRow(values: $0, count: row.count), uniform: uniform)
      }
    }
  }

  /// Draws at evenly spaced numbers give each token its probability among the tokens kept.
  @Test(
    arguments: [Float(1), 0.9, 0.35, 1e-6], [nil, 1, 40, 1000] as [Int?])
  func shares(topP: Float, topK: Int?) throws {
    for temperature: Float in [0.5, 1, 2] {
      let scaled = Self.logits.map { Double($0) / Double(temperature) }
      var order = scaled.indices.sorted { scaled[$0] > scaled[$1] }
      if let topK { order = Array(order.prefix(topK)) }
      let total = order.map { exp(scaled[$0]) }.reduce(0, +)
      var (kept, mass) = ([Int: Double](), 0.0)
      for token in order where mass < Double(topP) {
        kept[token] = exp(scaled[token]) / total
        mass += exp(scaled[token]) / total
      }
      let sampling = GenerationOptions.Sampling(topP: topP, temperature: temperature, topK: topK)
      let draws = 3000
      var counts: [Int: Int] = [:]
      for index in 0..<draws {
        let uniform = (Double(index) + 0.5) / Double(draws)
        counts[Int(try #require(draw(Self.logits, sampling, at: uniform))), default: 0] += 1
      }
      #expect(Set(counts.keys).isSubset(of: Set(kept.keys)))
      for (token, probability) in kept {
        let share = Double(counts[token] ?? 0)
        #expect(abs(share - probability / mass * Double(draws)) < 1.01)
      }
    }
  }

  @Test func theEndsOfTheInterval() {
    let all = GenerationOptions.Sampling(topP: 1)
    #expect(draw([0, 1, 2, -.infinity], all, at: 0) == 0)
    #expect(draw([0, 1, 2, -.infinity], all, at: 1 - 0x1p-53) == 2)
    #expect(draw([-.infinity, 5, -.infinity], all, at: 0) == 1)
    #expect(draw([-.infinity, -.infinity], all, at: 0.5) == nil)
    // Likely tokens far apart, with runs between them that hold nothing.
    var logits = [Float](repeating: -.infinity, count: 5000)
    logits[4000] = 1
    logits[100] = 1
    #expect(draw(logits, all, at: 0.49) == 100)
    #expect(draw(logits, all, at: 0.51) == 4000)
    #expect(draw(logits, all, at: 1 - 0x1p-53) == 4000)
  }

  @Test func equalTokens() {
    // Half of ten equal ones: the first five.
    let drawn = Set(
      (0..<100).compactMap {
        draw([Float](repeating: 2, count: 10), .init(topP: 0.5), at: Double($0) / 100)
      })
    #expect(drawn == [0, 1, 2, 3, 4])
    // Of the likeliest two, the second is one of three equal ones: all of them are kept.
    let logits: [Float] = [1, 5, 1, 0, 1]
    let kept = Set(
      (0..<1000).compactMap { draw(logits, .init(topP: 1, topK: 2), at: Double($0) / 1000) })
    #expect(kept == [0, 1, 2, 4])
  }

  @Test func extremeTemperatures() {
    #expect(draw([1, 1.5, -4], .init(topP: 1, temperature: 1e-30), at: 0.999) == 1)
    let drawn = (0..<30).compactMap {
      draw([1, 1.5, -4], .init(topP: 1, temperature: 1e30), at: (Double($0) + 0.5) / 30)
    }
    #expect(drawn == (0..<30).map { Int32($0 / 10) })
  }

  /// Numbers depend on each part of their place, and are even.
  @Test func drawnNumbers() {
    var seen: Set<Double> = []
    for seed: UInt64 in [0, 1] {
      let sampler = TokenSampler(options: .init(topP: 1, seed: seed))
      for prompt in 0..<10 {
        for returned in 0..<10 {
          for step in 0..<10 {
            let number = sampler.uniform(prompt: prompt, returned: returned, step: step)
            #expect(number >= 0 && number < 1)
            #expect(number == sampler.uniform(prompt: prompt, returned: returned, step: step))
            seen.insert(number)
          }
        }
      }
    }
    #expect(seen.count == 2000)
    #expect(abs(seen.reduce(0, +) / 2000 - 0.5) < 0.03)
  }

  /// A sequence is the same whichever others are generated with it, and however prompts are batched.
  @Test func drawsDoNotDependOnTheBatch() throws {
    let model = ToyModel(vocabulary: 30, seed: 5, raised: [1: 2])
    func generate(
      _ prompts: [Int], first: Int = 0, returned: Int = 4, seed: UInt64 = 0
    ) throws -> [Set<[Int32]>] {
      try TextGenerator.sequences(
        model.session(prompts: prompts), endIds: [1], firstPrompt: first
      ) {
        $0.method = .sampling(.init(topP: 0.95, seed: seed))
        $0.returned = returned
      }.map { Set($0.map(\.tokens)) }
    }
    let all = try generate([0, 1, 2, 3, 4])
    #expect(try generate([0, 1]) + generate([2, 3, 4], first: 2) == all)
    #expect(all.allSatisfy { $0.count > 1 })
    for (all, fewer) in zip(all, try generate([0, 1, 2, 3, 4], returned: 2)) {
      #expect(fewer.isSubset(of: all))
    }
    #expect(try generate([0, 1, 2, 3, 4], seed: 1) != all)
    #expect(try generate([0, 1, 2, 3, 4], first: 9) != all)
  }

  @Test func theBestComesFirst() throws {
    let model = ToyModel(vocabulary: 30, seed: 6, raised: [1: 2])
    var options = GenerationOptions.original(endIds: [1])
    options.method = .sampling(.init(topP: 1))
    options.returned = 8
    options.lengthPenalty = 0.5
    let found = try TextGenerator(options).sequences(model.session(prompts: 3))
    let reference = ReferenceDecoding(model: model, options: options)
    for (prompt, found) in found.enumerated() {
      #expect(found.count == 8)
      #expect(found.map(\.score) == found.map(\.score).sorted(by: >))
      for sequence in found {
        let sum = sequence.tokens.indices.map { place in
          reference.logProbabilities(prompt, Array(sequence.tokens[..<place]))[
            Int(sequence.tokens[place])]
        }.reduce(0, +)
        let expected = sum / sqrt(Double(sequence.tokens.count))
        #expect(abs(Double(sequence.score) - expected) < 1e-4 * abs(expected))
      }
    }
  }
}
