import Layers

/// The image encoder of EVA-CLIP (Fang et al. 2023; Sun et al. 2023): a plain vision transformer,
/// normalised before each block, with one weight for queries, keys and values.
///
/// There is no norm after the last block: BLIP-2 puts its own, which it trains, in that place.
public struct EVAViT: ViT {
  public let configuration: EVAViTConfiguration
  @Flattened var embedding: PatchEmbedding
  let blocks: ModuleList<PreNormBlock<FusedSelfAttention>>

  public init(_ configuration: EVAViTConfiguration, _ initialiser: ParameterInitialiser) {
    self.configuration = configuration
    embedding = PatchEmbedding(configuration, initialiser)
    blocks = configuration.blocks(initialiser) {
      FusedSelfAttention(
        width: configuration.width, heads: configuration.attentionHeads,
        deviation: configuration.initialDeviation, initialiser)
    }
  }

  var norm: LayerNorm? { nil }
  public var familyNormalisation: PixelNormalisation { .clip }
}
