import PublicFormats

/// CLIP's image encoder as Hugging Face folders hold it: by itself (`clip_vision_model`), or within
/// a whole model (`clip`), whose text encoder and projections are left out.
extension CLIPViT {
  public static let modelTypes = ["clip", "clip_vision_model"]
  static let wholeModelType: String? = "clip"

  public var publicFormat: PublicFormat {
    PublicFormat(
      CLIPViT.outer + CLIPViT.blocks.beneath("blocks.#", "vision_model.encoder.layers.#"),
      forms: embedding.publicForms.merging([
        "classToken": .reshaped { [$0[2]] }, "positions": .reshaped { [$0[1], $0[2]] },
      ]) { $1 },
      // Newer releases of the library leave the prefix out.
      spellings: [("vision_model.", "")])
  }

  private static let outer: PublicNames = [
    "classToken": "vision_model.embeddings.class_embedding",
    "positions": "vision_model.embeddings.position_embedding.weight",
    "patchEmbedding": "vision_model.embeddings.patch_embedding",
    // The library's own spelling.
    "initialNorm": "vision_model.pre_layrnorm", "norm": "vision_model.post_layernorm",
  ]

  private static let blocks: PublicNames = [
    "norm1": "layer_norm1", "query": "self_attn.q_proj", "key": "self_attn.k_proj",
    "value": "self_attn.v_proj", "output": "self_attn.out_proj", "norm2": "layer_norm2",
    "inner": "mlp.fc1", "outer": "mlp.fc2",
  ]
}
