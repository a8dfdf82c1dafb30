import Layers

/// CLIP's image encoder (Radford et al. 2021): a vision transformer with a norm before the first
/// block, no bias in the patch embedding, and quick GELU.
///
/// The norm after the last block is meant for the class token alone; as `finalNorm` it acts on all
/// tokens alike.
public struct CLIPViT: ViT {
  public let configuration: CLIPViTConfiguration
  @Flattened var embedding: PatchEmbedding
  let initialNorm: LayerNorm?
  let blocks: ModuleList<PreNormBlock<MultiHeadAttention>>
  let norm: LayerNorm?

  public init(_ configuration: CLIPViTConfiguration, _ initialiser: ParameterInitialiser) {
    self.configuration = configuration
    embedding = PatchEmbedding(configuration, hasPatchBias: false, initialiser)
    initialNorm = configuration.norm(initialiser)
    blocks = configuration.blocks(activation: configuration.activation, initialiser) {
      configuration.attention(initialiser)
    }
    norm = configuration.norm(initialiser)
  }

  public var familyNormalisation: PixelNormalisation { .clip }
}
