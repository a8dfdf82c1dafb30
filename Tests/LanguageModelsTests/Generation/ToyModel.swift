import LanguageModels
import Tensors
import TestSupport

/// A language model whose logits are a fixed function of the prompt and of all new tokens.
struct ToyModel {
  let vocabulary: Int
  let logits: (_ prompt: Int, _ tokens: [Int32]) -> [Float]

  init(vocabulary: Int, logits: @escaping (_ prompt: Int, _ tokens: [Int32]) -> [Float]) {
    self.vocabulary = vocabulary
    self.logits = logits
  }

  /// Random logits; those of some tokens are raised.
  init(vocabulary: Int, seed: UInt64, raised: [Int32: Float] = [:]) {
    self.init(vocabulary: vocabulary) { prompt, tokens in
      var hash = SeededGenerator(seed &+ UInt64(prompt) << 32)
      for token in tokens { hash = SeededGenerator(hash.next() ^ UInt64(token)) }
      return (0..<vocabulary).map { token in
        Float.random(in: -3...3, using: &hash) + (raised[Int32(token)] ?? 0)
      }
    }
  }

  func session(prompts: [Int]) -> ToySession { ToySession(self, prompts: prompts) }

  func session(prompts: Int) -> ToySession { ToySession(self, prompts: Array(0..<prompts)) }
}

/// A toy model's sequences under way, and a record of what was asked of them.
final class ToySession: DecodingSession {
  private let model: ToyModel
  private var rows: [(prompt: Int, tokens: [Int32])]
  /// How many rows each step had.
  private(set) var steps: [Int] = []

  init(_ model: ToyModel, prompts: [Int]) {
    self.model = model
    rows = prompts.map { (prompt: $0, tokens: []) }
  }

  var vocabularySize: Int { model.vocabulary }

  func start() -> Tensor { logits() }

  func advance(_ tokens: [Int32], from parents: [Int]) -> Tensor {
    rows = zip(tokens, parents).map { token, parent in
      (prompt: rows[parent].prompt, tokens: rows[parent].tokens + [token])
    }
    return logits()
  }

  private func logits() -> Tensor {
    steps.append(rows.count)
    return Tensor(
      rows.flatMap { model.logits($0.prompt, $0.tokens) }, shape: [rows.count, model.vocabulary])
  }
}

extension TextGenerator {
  /// Generates with options that differ from the defaults as the closure says.
  static func sequences(
    _ session: DecodingSession, endIds: [Int32], priorTokens: [[Int32]] = [], firstPrompt: Int = 0,
    _ change: (inout GenerationOptions) -> Void
  ) throws -> [[GeneratedSequence]] {
    var options = GenerationOptions.original(endIds: endIds)
    change(&options)
    return try TextGenerator(options).sequences(
      session, priorTokens: priorTokens, firstPrompt: firstPrompt)
  }
}
