import Layers
import PublicFormats
import WeightFiles

extension StageOneModel {
  /// Takes the weights of a BERT model, as stage 1 starts (Li et al. 2023, §3.1), and copies each
  /// text feed-forward into the query feed-forward of its layer.
  ///
  /// Query tokens, cross-attention, projections and heads are new; `[DEC]` is appended to the
  /// vocabulary. A language head is taken where the file has one.
  /// - Returns: What keeps its starting values, and which tensors of the file nothing took.
  /// - Throws: `WeightFileError`, naming the tensor and both shapes where they differ.
  public func initialise(fromBERT folder: WeightFolder) throws -> LoadReport {
    try qFormer.load(bert: folder, into: namedParameters, of: self)
  }
}

/// Where there was no stage 1.
extension StageTwoModel {
  /// Takes a BERT model's self-attention and feed-forwards, as the paper's comparison without
  /// representation learning does (Li et al. 2023, §4.1, Figure 5). BERT's embeddings of words have
  /// no part in stage 2.
  /// - Returns: What keeps its starting values, and which tensors of the file nothing took.
  /// - Throws: `WeightFileError`, naming the tensor and both shapes where they differ.
  public func initialise(fromBERT folder: WeightFolder) throws -> LoadReport {
    let ofText = ["wordEmbeddings", "positionEmbeddings"]
    // The query feed-forwards are copies of the text's, which are no members of this model.
    let parameters = Pruned(qFormer, without: Set(ofText)).namedParameters.map {
      NamedParameter(name: "qFormer." + $0.name, parameter: $0.parameter)
    }
    return try qFormer.load(bert: folder, into: parameters, of: self)
  }
}

extension QFormer {
  /// Takes the weights of a BERT model, and copies each text feed-forward into the query feed-forward of
  /// its layer. Rows beyond BERT's vocabulary, such as `[DEC]`, stay new; a language head is taken where
  /// the file has one.
  /// - Parameters:
  ///   - parameters: Those that are wanted, under the model's own names.
  ///   - model: The whole model.
  /// - Returns: What of the model keeps its starting values, and which tensors of the file nothing took.
  /// - Throws: `WeightFileError`, naming the tensor and both shapes where they differ.
  func load(
    bert folder: WeightFolder, into parameters: [NamedParameter], of model: some Module
  ) throws -> LoadReport {
    var report = try PublicFormat.bert.load(
      into: parameters.filter { PublicFormat.bert.contains($0.name) }, from: folder,
      mayBeMissing: { $0.hasPrefix("languageHead.") },
      mayLackRows: { $0 == "qFormer.wordEmbeddings" || $0 == "languageHead.bias" })
    copyTextFeedForwardsToQueries()
    report.missing += model.namedParameters.map(\.name).filter {
      !PublicFormat.bert.contains($0) && !$0.contains(".queryFeedForward.")
    }
    return report
  }
}
