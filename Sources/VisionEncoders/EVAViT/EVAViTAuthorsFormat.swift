import Foundation
import Layers
import Tensors
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
    let fileName = { sizes.prefix + EVAViT.authorsNames($0) }
    try load(
      namedParameters.filter { !$0.name.hasSuffix(".qkv.bias") }, from: weights
    ) { [fileName($0)] }
    for (index, block) in blocks.elements.enumerated() {
      let attention = fileName("blocks.\(index).attention")
      let queries = try bias(attention + ".q_bias", in: weights)
      let values = try bias(attention + ".v_bias", in: weights)
      let zeros = [Float](repeating: 0, count: width)
      block.attention.qkv.bias?.value = Tensor(queries + zeros + values, shape: [3 * width])
    }
  }

  private func bias(_ name: String, in weights: WeightFolder) throws -> [Float] {
    let stored = try weights.tensor(named: name)
    guard stored.shape == [width] else {
      throw WeightFileError.wrongShape(
        file: stored.file.path, tensor: name, expected: [width], found: stored.shape)
    }
    return try stored.floats()
  }

  private static let authorsNames = PublicNames(
    outer: [
      ("classToken", "cls_token"), ("positions", "pos_embed"),
      ("patchEmbedding", "patch_embed.proj"),
    ],
    blocks: "blocks",
    inner: [
      "norm1": "norm1", "attention": "attn", "qkv": "attn.qkv", "output": "attn.proj",
      "norm2": "norm2", "inner": "mlp.fc1", "outer": "mlp.fc2",
    ])
}
