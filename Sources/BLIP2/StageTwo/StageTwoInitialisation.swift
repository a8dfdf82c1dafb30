import Layers
import WeightFiles

/// Where a stage-2 model's numbers come from when there was no stage 1.
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
