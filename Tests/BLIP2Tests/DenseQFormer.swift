import Foundation
import Layers
import Tensors

@testable import BLIP2

/// The Q-Former by the book: one sample at a time, a dense mask over [queries; text], plain loops in
/// double precision. The layers' numbers are found by their names.
struct DenseQFormer {
  typealias Rows = [[Double]]

  private let configuration: QFormerConfiguration
  private let parameters: [String: Tensor]

  init(_ model: QFormer) {
    configuration = model.configuration
    parameters = Dictionary(
      uniqueKeysWithValues: model.namedParameters.map { ($0.name, $0.parameter.value) })
  }

  /// - Parameters:
  ///   - features: What the queries look at, `[tokens, vision width]`.
  ///   - sees: Whether a row sees another; the queries are rows 0 …, the text follows.
  /// - Returns: The outputs of all rows.
  func callAsFunction(
    text: [Int32], features: Rows, queries: Int, sees: (_ row: Int, _ other: Int) -> Bool
  ) -> Rows {
    var x = (0..<queries).map { row("queryTokens", $0) }
    x += text.enumerated().map { place, token in
      zip(row("wordEmbeddings", Int(token)), row("positionEmbeddings", place)).map(+)
    }
    x = x.map { norm($0, "embeddingNorm") }
    for layer in 0..<configuration.layers {
      let name = "layers.\(layer)."
      x = attention(x, keys: x, name + "selfAttention", sees: sees)
      if configuration.hasCrossAttention(layer) {
        let looking = Array(x.prefix(queries))
        x.replaceSubrange(
          0..<queries,
          with: attention(looking, keys: features, name + "crossAttention") { _, _ in true })
      }
      x = x.enumerated().map { index, row in
        feedForward(row, name + (index < queries ? "queryFeedForward" : "textFeedForward"))
      }
    }
    return x
  }

  private func attention(
    _ x: Rows, keys: Rows, _ name: String, sees: (Int, Int) -> Bool
  ) -> Rows {
    let q = x.map { linear($0, name + ".query") }
    let k = keys.map { linear($0, name + ".key") }
    let v = keys.map { linear($0, name + ".value") }
    let headWidth = configuration.width / configuration.heads
    return x.indices.map { row in
      var y = [Double](repeating: 0, count: configuration.width)
      for head in 0..<configuration.heads {
        let columns = head * headWidth..<(head + 1) * headWidth
        let scores = k.indices.map { key -> Double in
          let dot = columns.reduce(0) { $0 + q[row][$1] * k[key][$1] }
          return dot / Double(headWidth).squareRoot() + (sees(row, key) ? 0 : -10_000)
        }
        let highest = scores.max() ?? 0
        let weights = scores.map { exp($0 - highest) }
        let total = weights.reduce(0, +)
        for column in columns {
          y[column] = v.indices.reduce(0) { $0 + weights[$1] / total * v[$1][column] }
        }
      }
      return norm(zip(linear(y, name + ".output"), x[row]).map(+), name + ".norm")
    }
  }

  private func feedForward(_ x: [Double], _ name: String) -> [Double] {
    let inner = linear(x, name + ".inner").map { $0 * 0.5 * (1 + erf($0 / 2.0.squareRoot())) }
    return norm(zip(linear(inner, name + ".output"), x).map(+), name + ".norm")
  }

  private func linear(_ x: [Double], _ name: String) -> [Double] {
    let bias = row(name + ".bias", 0)
    return bias.indices.map { output in
      zip(row(name + ".weight", output), x).reduce(bias[output]) { $0 + $1.0 * $1.1 }
    }
  }

  private func norm(_ x: [Double], _ name: String) -> [Double] {
    let count = Double(x.count)
    let mean = x.reduce(0, +) / count
    let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    let scale = 1 / (variance + Double(configuration.layerNormEpsilon)).squareRoot()
    let (gamma, beta) = (row(name + ".weight", 0), row(name + ".bias", 0))
    return x.indices.map { (x[$0] - mean) * scale * gamma[$0] + beta[$0] }
  }

  private func row(_ name: String, _ index: Int) -> [Double] {
    guard let tensor = parameters[name] else { preconditionFailure("no parameter \(name)") }
    return tensor.rows(index..<index + 1).values.map(Double.init)
  }
}
