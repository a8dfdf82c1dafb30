import PublicFormats

/// DINOv2 as Hugging Face folders hold it.
extension DINOv2 {
  public static let modelTypes = ["dinov2"]

  public var publicFormat: PublicFormat {
    PublicFormat(
      DINOv2.outer + DINOv2.blocks.beneath("blocks.#", "encoder.layer.#"),
      forms: embedding.publicForms, spellings: [("", "dinov2.")])
  }

  private static let outer: PublicNames = [
    "classToken": "embeddings.cls_token", "positions": "embeddings.position_embeddings",
    "patchEmbedding": "embeddings.patch_embeddings.projection", "norm": "layernorm",
  ]

  private static let blocks: PublicNames = [
    "norm1": "norm1", "query": "attention.attention.query", "key": "attention.attention.key",
    "value": "attention.attention.value", "output": "attention.output.dense",
    "scale1": "layer_scale1.lambda1", "norm2": "norm2", "inner": "mlp.fc1", "outer": "mlp.fc2",
    "scale2": "layer_scale2.lambda1",
  ]
}
