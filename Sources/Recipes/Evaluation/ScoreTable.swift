import Foundation
import Reporting
import Training

/// Scores for people: in percent, by the names that papers give them.
enum ScoreTable {
  private static let names = [
    "bleu1": "BLEU-1", "bleu2": "BLEU-2", "bleu3": "BLEU-3", "bleu4": "BLEU-4",
    "rougeL": "ROUGE-L", "cider": "CIDEr", "accuracy": "VQA accuracy",
  ]

  /// A table of one row.
  /// - Parameter scores: By their names in JSON, 1 for 100 percent.
  static func text(_ scores: NamedValues) -> String {
    var table = TextTable(
      scores.map { _ in .right }, header: scores.map { names[$0.name] ?? $0.name })
    table.add(scores.map { percent($0.value) })
    return table.description
  }

  /// `61.3` of 0.6128.
  static func percent(_ score: Double) -> String { String(format: "%.1f", 100 * score) }
}
