import Foundation

/// The sizes that a public BERT folder's `config.json` states.
public struct BERTSizes: Decodable {
  public let hiddenSize, numHiddenLayers, numAttentionHeads, intermediateSize: Int
  public let maxPositionEmbeddings, vocabSize: Int
  public let layerNormEps: Float

  public init(_ folder: URL) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    self = try decoder.decode(
      BERTSizes.self, from: Data(contentsOf: folder.appendingPathComponent("config.json")))
  }

  /// Options that give a recipe's Q-Former these sizes.
  public var overrides: [String] {
    [
      "width=\(hiddenSize)", "heads=\(numAttentionHeads)", "layers=\(numHiddenLayers)",
      "feedForwardWidth=\(intermediateSize)",
    ].flatMap { ["--set", "model.qFormer.\($0)"] }
  }
}
