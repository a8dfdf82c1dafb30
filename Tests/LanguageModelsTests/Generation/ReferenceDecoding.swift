import Foundation
import LanguageModels

/// Decoding of one prompt by the words of its rules, in double precision, slowly.
struct ReferenceDecoding {
  let model: ToyModel
  let options: GenerationOptions
  var prior: [Int32] = []

  struct Found {
    let tokens: [Int32]
    let score: Double
  }

  func logProbabilities(_ prompt: Int, _ tokens: [Int32]) -> [Double] {
    let logits = model.logits(prompt, tokens).map(Double.init)
    let sum = logits.map { exp($0) }.reduce(0, +)
    return logits.map { $0 - log(sum) }
  }

  /// Repetition penalty, then no end before its time.
  func processed(_ values: [Double], after tokens: [Int32]) -> [Double] {
    var values = values
    for token in Set(prior + tokens) {
      let value = values[Int(token)]
      let penalty = Double(options.repetitionPenalty)
      values[Int(token)] = value < 0 ? value * penalty : value / penalty
    }
    if tokens.count < options.minimumNewTokens {
      for token in options.endIds { values[Int(token)] = -.infinity }
    }
    return values
  }

  func greedy(_ prompt: Int) -> Found {
    var (tokens, sum) = ([Int32](), 0.0)
    while tokens.count < options.maximumNewTokens {
      let logits = model.logits(prompt, tokens).map(Double.init)
      let values = processed(logits, after: tokens)
      let token = values.indices.max { values[$0] < values[$1] } ?? 0
      sum += logProbabilities(prompt, tokens)[token]
      tokens.append(Int32(token))
      if options.endIds.contains(Int32(token)) { break }
    }
    return Found(tokens: tokens, score: score(sum, tokens))
  }

  func beams(_ prompt: Int, count: Int) -> [Found] {
    var running: [(tokens: [Int32], sum: Double)] = [([], 0)]
    var finished: [Found] = []
    for length in 1...options.maximumNewTokens {
      var all: [(tokens: [Int32], sum: Double)] = []
      for beam in running {
        let values = processed(logProbabilities(prompt, beam.tokens), after: beam.tokens)
        for (token, value) in values.enumerated() where value > -.infinity {
          all.append((beam.tokens + [Int32(token)], beam.sum + value))
        }
      }
      let best = all.sorted { $0.sum > $1.sum }.prefix(max(2, options.endIds.count + 1) * count)
      let isLast = length == options.maximumNewTokens
      let ends = { (tokens: [Int32]) in isLast || options.endIds.contains { $0 == tokens.last } }
      finished += best.prefix(count).filter { ends($0.tokens) }
        .map { Found(tokens: $0.tokens, score: score($0.sum, $0.tokens)) }
      finished = Array(finished.sorted { $0.score > $1.score }.prefix(count))
      running = Array(best.filter { !ends($0.tokens) }.prefix(count))
      guard let first = running.first else { break }
      if finished.count == count, let worst = finished.last,
        score(first.sum, first.tokens) <= worst.score
      {
        break
      }
    }
    return Array(finished.prefix(options.returned))
  }

  /// Every sequence there is, the best first.
  func everySequence(_ prompt: Int) -> [Found] {
    var found: [Found] = []
    func visit(_ tokens: [Int32], _ sum: Double) {
      let isDone =
        tokens.count == options.maximumNewTokens || options.endIds.contains { $0 == tokens.last }
      if isDone {
        found.append(Found(tokens: tokens, score: score(sum, tokens)))
        return
      }
      let values = processed(logProbabilities(prompt, tokens), after: tokens)
      for (token, value) in values.enumerated() where value > -.infinity {
        visit(tokens + [Int32(token)], sum + value)
      }
    }
    visit([], 0)
    return found.sorted { $0.score > $1.score }
  }

  private func score(_ sum: Double, _ tokens: [Int32]) -> Double {
    sum / pow(Double(tokens.count), Double(options.lengthPenalty))
  }
}
