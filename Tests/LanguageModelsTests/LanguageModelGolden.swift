import Autograd
import Foundation
import Tensors
import TestSupport

@testable import LanguageModels

/// A golden language model: a folder in the public format with inputs and what a reference gives.
struct LanguageModelGolden: CustomStringConvertible {
  let folder: URL
  var description: String { folder.lastPathComponent }

  /// All of them, by name.
  static let all: [LanguageModelGolden] = Goldens.folders(beginning: "", with: "golden.safetensors")
    .filter { folder in
      let golden = try? Golden(folder.appendingPathComponent("golden.safetensors"))
      return golden?.names(under: "inputs/token_ids").isEmpty == false
        && golden?.names(under: "outputs/logits").isEmpty == false
        && ["llama", "opt", "t5"].contains { folder.lastPathComponent.hasPrefix($0) }
    }.map { LanguageModelGolden(folder: $0) }

  func model() throws -> any LanguageModel { try LanguageModelFamily.model(at: folder) }

  func golden() throws -> Golden { try Golden(folder.appendingPathComponent("golden.safetensors")) }

  /// The most new tokens of any row: where all end sooner, the limit the library had plays no part.
  func maximumNewTokens() throws -> Int {
    let values = try golden()
    let isDecoder = try model().decoderStart == nil
    return try values.names(under: "outputs/generate/").filter { !$0.hasSuffix("/scores") }
      .map { name in
        let source = name.split(separator: "/")[2]
        // Prompts of tokens come back with the new ones, and so does an encoder-decoder's start.
        let echoed =
          !isDecoder
          ? 1
          : source == "prompts_embeds" ? 0 : try values.rows("inputs/\(source)")[0].count
        return try values.rows(name)[0].count - echoed
      }.max() ?? 1
  }
}

/// Padded sequences of a golden as the rows that are real.
struct RealRows {
  let lengths: [Int]
  /// The places of the real rows among the padded ones.
  let places: [Int32]

  /// - Parameter mask: 1 at real places, row by row.
  init(mask: [[Int32]]) {
    lengths = mask.map { $0.count { $0 == 1 } }
    let width = mask.first?.count ?? 0
    places = mask.enumerated().flatMap { row, values in
      values.indices.filter { values[$0] == 1 }.map { Int32(row * width + $0) }
    }
  }

  /// The real values of padded ones.
  func packed(_ values: [[Int32]]) -> [[Int32]] {
    let width = values.first?.count ?? 0
    var start = 0
    return lengths.map { length in
      defer { start += length }
      return places[start..<start + length].map { values[Int($0) / width][Int($0) % width] }
    }
  }
}

extension LanguageModel {
  /// Logits of whole texts at every place, and the loss of labels that stand there.
  ///
  /// Labels of decoders stand at the token's own place and are predicted from the place before it;
  /// those of encoder-decoders stand where they are predicted.
  func goldenPass(
    _ input: PackedRows, labels: [[Int32]], decoderTokens: [[Int32]]?
  ) -> (logits: Variable, loss: Variable) {
    let states: Variable
    var predicting: [(row: Int32, label: Int32)] = []
    var row: Int32 = 0
    if let model = self as? T5, let decoderTokens {
      let lengths = decoderTokens.map(\.count)
      states = model.decoder(
        model.embeddings(of: decoderTokens.flatMap { $0 }), .causal(lengths),
        cross: .whole(model.encoded(input), lengths: lengths))
      for labels in labels {
        for label in labels {
          predicting.append((row, label))
          row += 1
        }
      }
    } else if let model = self as? any CausalLanguageModel {
      states = model.states(input.rows, .causal(input.lengths))
      for labels in labels {
        for label in labels.dropFirst() {
          predicting.append((row, label))
          row += 1
        }
        row += 1
      }
    } else {
      preconditionFailure("a family without a golden pass")
    }
    let scored = predicting.filter { $0.label >= 0 }
    let all = logits(states)
    return (
      all,
      all.gatheredRows(scored.map(\.row)).crossEntropy(classes: scored.map(\.label))
    )
  }
}
