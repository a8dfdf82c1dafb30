import Foundation
import Layers
import PublicFormats
import WeightFiles

/// EVA-CLIP's image encoder in the names of its authors, as one file: `blocks.0.attn.qkv.weight`,
/// with `visual_encoder.`, `visual.` or nothing before them.
extension EVAViT {
  /// Reads a file; the weights stay where they are mapped. All sizes are those of the tensors, but
  /// for the number of heads (see `EVAViTFileSizes`).
  /// - Throws: `ModelConfigurationError`, `VisionEncoderError` or `WeightFileError`.
  public init(file: URL, heads: Int? = nil) throws {
    let weights = try WeightFolder(file)
    let sizes = EVAViTFileSizes(weights)
    self.init(try sizes.configuration(heads: heads), ParameterInitialiser(seed: 0))
    var format = authorsFormat
    format.prefix = sizes.prefix
    try format.load(into: namedParameters, from: weights)
  }

  /// The keys have no bias: it would add the same to all scores of a query.
  public var authorsFormat: PublicFormat {
    PublicFormat(
      EVAViT.authorsOuter + EVAViT.authorsBlocks.beneath("blocks.#", "blocks.#"),
      forms: embedding.publicForms.merging([
        "blocks.#.qkv.bias": .parts(["q_bias", nil, "v_bias"])
      ]) { $1 })
  }

  private static let authorsOuter: PublicNames = [
    "classToken": "cls_token", "positions": "pos_embed", "patchEmbedding": "patch_embed.proj",
  ]

  private static let authorsBlocks: PublicNames = [
    "norm1": "norm1", "qkv.bias": "attn", "qkv": "attn.qkv", "output": "attn.proj",
    "norm2": "norm2", "inner": "mlp.fc1", "outer": "mlp.fc2",
  ]
}
