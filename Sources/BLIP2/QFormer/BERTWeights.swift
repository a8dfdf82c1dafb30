import Layers
import Tensors
import WeightFiles

/// What a Q-Former takes from a BERT model: embeddings, self-attention, text feed-forwards and, where
/// there is one, the language head.
///
/// The file's names may begin with `bert.` or not, and norms may be called `gamma` and `beta`.
enum BERTWeights {
  /// Whether a BERT model has something for the parameter of this name.
  static func hold(_ name: String) -> Bool {
    let parts = ["wordEmbeddings", "positionEmbeddings", "embeddingNorm"]
    return parts.contains { name.hasPrefix("qFormer.\($0)") }
      || name.contains(".selfAttention.") || name.contains(".textFeedForward.")
      || name.hasPrefix("languageHead.")
  }

  /// Gives parameters BERT's values. Rows beyond BERT's vocabulary, such as `[DEC]`, stay new.
  /// - Parameter parameters: Those that BERT holds, under the model's own names.
  /// - Throws: `WeightFileError`, naming the tensor and both shapes where they differ.
  static func load(
    _ folder: WeightFolder, into parameters: [NamedParameter]
  ) throws -> WeightFolder.LoadReport {
    try folder.load(
      into: parameters, mayBeMissing: { $0.hasPrefix("languageHead.") }, fileNames: fileNames,
      adapt: { name, stored, parameter in
        name.hasPrefix("qFormer.wordEmbeddings") || name == "languageHead.bias"
          ? parameter.value.replacingFirstRows(with: stored) : nil
      })
  }

  private static func fileNames(of name: String) -> [String] {
    var bare = StageOnePublicNames.publicName(of: name)
    for prefix in ["Qformer.bert.", "Qformer."] where bare.hasPrefix(prefix) {
      bare.removeFirst(prefix.count)
      break
    }
    var old = bare
    if old.hasSuffix("LayerNorm.weight") { old = old.dropLast("weight".count) + "gamma" }
    if old.hasSuffix("LayerNorm.bias") { old = old.dropLast("bias".count) + "beta" }
    return ["bert." + bare, bare, "bert." + old, old]
  }
}

extension Tensor {
  /// This tensor with its first rows taken from another of the same width and at most as many rows;
  /// nil if they do not fit.
  fileprivate func replacingFirstRows(with first: Tensor) -> Tensor? {
    guard first.shape.dropFirst() == shape.dropFirst(), first.count < count else { return nil }
    var result = copied()
    result.modify { target in first.read { target.update(from: $0, count: first.count) } }
    return result
  }
}
