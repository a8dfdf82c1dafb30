import WeightFiles

/// What of a model goes out, and how.
public struct ExportSettings: Sendable {
  /// Whose names and files.
  public enum Format: String, CaseIterable, Sendable {
    /// A folder that the transformers library reads.
    case huggingface
    /// The authors' code (LAVIS).
    case lavis
  }

  public enum Parts: String, CaseIterable, Sendable {
    /// All that the format holds.
    case all
    /// What stands between image encoder and language model.
    case qformer
    /// A trained image encoder, as a public folder of its family.
    case vision
  }

  public var format: Format
  public var parts: Parts
  /// How the weights are stored.
  public var precision: WrittenTensor.Precision
  /// The bytes of a file of weights, where they are cut into several.
  public var maximumShardBytes: Int

  public init(
    format: Format, parts: Parts = .all, precision: WrittenTensor.Precision = .float32,
    maximumShardBytes: Int = 5_000_000_000
  ) {
    self.format = format
    self.parts = parts
    self.precision = precision
    self.maximumShardBytes = maximumShardBytes
  }
}
