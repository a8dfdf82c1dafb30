import Layers

/// DINOv2 (Oquab et al. 2023): a vision transformer with LayerScale, normalised before each block.
public struct DINOv2: ViT {
  public let configuration: DINOv2Configuration
  @Flattened var embedding: PatchEmbedding
  let blocks: ModuleList<PreNormBlock<MultiHeadAttention>>
  let norm: LayerNorm?

  public init(_ configuration: DINOv2Configuration, _ initialiser: ParameterInitialiser) {
    self.configuration = configuration
    embedding = PatchEmbedding(configuration, initialiser)
    blocks = configuration.blocks(layerScale: configuration.initialLayerScale, initialiser) {
      configuration.attention(initialiser)
    }
    norm = configuration.norm(initialiser)
  }

  public var familyNormalisation: PixelNormalisation { .imageNet }
}
