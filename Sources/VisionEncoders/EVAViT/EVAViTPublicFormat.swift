import PublicFormats

/// EVA-CLIP's image encoder as Hugging Face folders hold it: within a BLIP-2 (`blip-2`), or by itself
/// (`blip_2_vision_model`), which is how it is exported.
///
/// The `post_layernorm` of such folders is BLIP-2's trained norm and no part of the encoder.
extension EVAViT {
  public static let modelTypes = ["blip-2", "blip_2_vision_model"]
  static let wholeModelType: String? = "blip-2"

  public var publicFormat: PublicFormat {
    PublicFormat(
      EVAViT.outer + EVAViT.blocks.beneath("blocks.#", "encoder.layers.#"),
      forms: embedding.publicForms, spellings: [("", "vision_model.")])
  }

  private static let outer: PublicNames = [
    "classToken": "embeddings.class_embedding", "positions": "embeddings.position_embedding",
    "patchEmbedding": "embeddings.patch_embedding",
  ]

  private static let blocks: PublicNames = [
    "norm1": "layer_norm1", "qkv": "self_attn.qkv", "output": "self_attn.projection",
    "norm2": "layer_norm2", "inner": "mlp.fc1", "outer": "mlp.fc2",
  ]
}
