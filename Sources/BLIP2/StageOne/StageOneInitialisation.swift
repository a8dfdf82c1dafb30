import Layers
import WeightFiles

/// Where a stage-1 model's numbers come from at the start.
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
