import Foundation
import Metrics
import Reporting
import Training

extension RetrievalEvaluation.Result {
  /// The rows of the table: by what images and texts were ranked.
  private var rows: [(name: String, key: String, scores: RetrievalScores)] {
    var rows = [("cosine", "cosine", cosine)]
    if let reranked { rows.append(("re-ranked by ITM", "reranked", reranked)) }
    rows.append(("chance", "chance", set.chance))
    return rows
  }

  /// Everything measured, by names such as `cosine.imageToText.r1`.
  var values: NamedValues {
    rows.flatMap { row in
      zip(RetrievalScores.ranks.indices, RetrievalScores.ranks).flatMap { index, rank in
        [
          ("\(row.key).imageToText.r\(rank)", row.scores.imageToText[index]),
          ("\(row.key).textToImage.r\(rank)", row.scores.textToImage[index]),
        ]
      }
    }
  }

  /// A table for people, in percent.
  var table: String {
    func pad(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    func cells(_ texts: [String]) -> String { texts.map { pad($0, 7) }.joined() }
    let names = RetrievalScores.ranks.map { "R@\($0)" }
    let title =
      "retrieval: \(Quantity.of(set.images.count, "image")), "
      + "\(Quantity.of(set.texts.count, "text")), recall in %"
    var lines = [
      title, pad("", 18) + pad("image → text", 21) + "  " + pad("text → image", 21),
      pad("", 18) + cells(names) + "  " + cells(names),
    ]
    for row in rows {
      let numbers = { (scores: [Double]) in cells(scores.map { String(format: "%.1f", $0) }) }
      lines.append(
        row.name.padding(toLength: 18, withPad: " ", startingAt: 0)
          + numbers(row.scores.imageToText) + "  " + numbers(row.scores.textToImage))
    }
    if set.images.count < HeldOutSet.leastCandidates {
      lines.append("among so few candidates R@10 is high whatever was learnt")
    }
    lines += set.skipped.map { "skipped \($0)" }
    return lines.joined(separator: "\n")
  }
}
