import Layers
import Tensors
import WeightFiles

/// Where a stage-1 model's numbers come from at the start.
extension StageOneModel {
  /// Takes the weights of a BERT model, as stage 1 starts (Li et al. 2023, §3.1), and copies each
  /// text feed-forward into the query feed-forward of its layer.
  ///
  /// The file's names may begin with `bert.` or not, and norms may be called `gamma` and `beta`. Query
  /// tokens, cross-attention, projections and heads are new; `[DEC]` is appended to the vocabulary. A
  /// language head is taken where the file has one.
  /// - Returns: What keeps its starting values, and which tensors of the file nothing took.
  /// - Throws: `WeightFileError`, naming the tensor and both shapes where they differ.
  public func initialise(fromBERT folder: WeightFolder) throws -> WeightFolder.LoadReport {
    let fromBERT = namedParameters.filter { StageOneModel.isInBERT($0.name) }
    var report = try folder.load(
      into: fromBERT, mayBeMissing: { $0.hasPrefix("languageHead.") },
      fileNames: StageOneModel.bertNames,
      adapt: { name, stored, parameter in
        name.hasPrefix("qFormer.wordEmbeddings") || name == "languageHead.bias"
          ? parameter.value.replacingFirstRows(with: stored) : nil
      })
    qFormer.copyTextFeedForwardsToQueries()
    report.missing += namedParameters.map(\.name).filter {
      !StageOneModel.isInBERT($0) && !$0.contains(".queryFeedForward.")
    }
    return report
  }

  private static func isInBERT(_ name: String) -> Bool {
    let parts = ["wordEmbeddings", "positionEmbeddings", "embeddingNorm"]
    return parts.contains { name.hasPrefix("qFormer.\($0)") }
      || name.contains(".selfAttention.") || name.contains(".textFeedForward.")
      || name.hasPrefix("languageHead.")
  }

  private static func bertNames(of name: String) -> [String] {
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
