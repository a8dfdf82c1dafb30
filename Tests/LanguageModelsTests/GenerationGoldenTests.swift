import Autograd
import Foundation
import Tensors
import TestSupport
import Testing

@testable import LanguageModels

/// Greedy search, beams and penalties of every golden model against transformers.
@Suite struct GenerationGoldenTests {
  /// One decoding of one kind of prompt.
  struct Run: CustomStringConvertible {
    let golden: LanguageModelGolden
    let source: String
    let decoding: String
    var description: String { "\(golden) \(source) \(decoding)" }
    var name: String { "outputs/generate/\(source)/\(decoding)" }
  }

  static let runs: [Run] = LanguageModelGolden.all.flatMap { golden -> [Run] in
    let names = (try? golden.golden().names(under: "outputs/generate/")) ?? []
    return names.filter { !$0.hasSuffix("/scores") }.compactMap { name in
      let parts = name.split(separator: "/").map(String.init)
      return parts.count == 4 ? Run(golden: golden, source: parts[2], decoding: parts[3]) : nil
    }
  }

  @Test(arguments: ["greedy", "beam", "repetition", "length_penalty", "min_new", "return"])
  func goldensArePresent(_ kind: String) {
    #expect(Self.runs.contains { $0.decoding.contains(kind) })
  }

  @Test(arguments: runs)
  func tokensAndScores(_ run: Run) throws {
    let values = try run.golden.golden()
    let model = try run.golden.model()
    let prompts = try Prompts(run.source, values, model)
    let expected = try values.rows(run.name)
    var options = GenerationOptions(endIds: [model.tokens.end])
    options.read(run.decoding)
    options.maximumNewTokens = try run.golden.maximumNewTokens()
    let results = try TextGenerator(options).sequences(
      model.decodingSession(after: prompts.input), priorTokens: prompts.counted
    ).flatMap { $0 }
    try #require(results.count == expected.count)
    for (index, result) in results.enumerated() {
      #expect(
        result.tokens == Self.wanted(expected[index], after: prompts.echoed, model.tokens.end),
        "row \(index)")
    }
    let scores = run.name + "/scores"
    if values.names(under: scores).contains(scores) {
      let found = Tensor(results.map(\.score), shape: [results.count])
      #expect(difference(found, try values.tensor(scores), relative: 1e-4) == nil)
    }
  }

  /// The new tokens of a golden's row, up to and including the first end token.
  private static func wanted(_ row: [Int32], after echoed: Int, _ end: Int32) -> [Int32] {
    let new = Array(row.dropFirst(echoed))
    return new.firstIndex(of: end).map { Array(new[...$0]) } ?? new
  }
}

/// The prompts of a run and what the library hands back before the new tokens.
private struct Prompts {
  let input: PackedRows
  /// What the repetition penalty counts beside new tokens.
  let counted: [[Int32]]
  /// How many tokens stand in front of the new ones in a golden's row.
  let echoed: Int

  init(_ source: String, _ values: Golden, _ model: any LanguageModel) throws {
    let start = model.decoderStart.map { [$0] }
    if source == "prompts_embeds" {
      let rows = try values.tensor("inputs/embeddings/prompts_embeds")
      let count = rows.shape[0]
      input = PackedRows(
        Variable(rows.reshaped([count * rows.shape[1], rows.shape[2]])),
        lengths: Array(repeating: rows.shape[1], count: count))
      counted = Array(repeating: start ?? [], count: count)
      echoed = start?.count ?? 0
      return
    }
    let padded = try values.rows("inputs/\(source)")
    var texts = padded
    let mask = "inputs/\(source)_attention_mask"
    if values.names(under: mask).contains(mask) {
      texts = RealRows(mask: try values.rows(mask)).packed(padded)
    }
    input = model.embeddings(ofTexts: texts)
    counted = start.map { start in texts.map { _ in start } } ?? texts
    echoed = start?.count ?? padded[0].count
  }
}
