import Autograd
import Layers
import Tensors

/// The image encoder of EVA-CLIP (Fang et al. 2023; Sun et al. 2023): a plain vision transformer,
/// normalised before each block, with one weight for queries, keys and values.
///
/// There is no norm after the last block: BLIP-2 puts its own, which it trains, in that place.
public struct EVAViT: VisionEncoder {
  public let configuration: EVAViTConfiguration
  let embedding: PatchEmbedding
  let blocks: ModuleList<PreNormBlock<FusedSelfAttention>>

  public init(_ configuration: EVAViTConfiguration, _ initialiser: ParameterInitialiser) {
    self.configuration = configuration
    embedding = PatchEmbedding(configuration, initialiser)
    blocks = ModuleList(
      (0..<configuration.layers).map { _ in
        PreNormBlock(configuration, activation: .gelu, initialiser)
      })
  }

  public var members: [Member] { embedding.members + [.module("blocks", blocks)] }

  public var width: Int { configuration.width }
  public var patchSize: Int { configuration.patchSize }
  public var layerCount: Int { configuration.layers }
  public var nativeImageSize: Int { configuration.imageSize }
  public var defaultOutput: VisionOutput { VisionOutput(appliesFinalNorm: false) }
  public var hasFinalNorm: Bool { false }
  public var familyNormalisation: PixelNormalisation { .clip }

  public func tokenCount(height: Int, width: Int) -> Int {
    embedding.tokenCount(height: height, width: width)
  }

  public func features(_ pixels: Tensor, output: VisionOutput) -> Variable {
    precondition(!output.appliesFinalNorm, "EVA's image encoder has no final norm")
    var x = embedding(pixels)
    let layout = embedding.layout(of: pixels)
    for block in blocks.elements.prefix(output.layer ?? layerCount) { x = block(x, layout) }
    return x.reshaped(embedding.featureShape(of: pixels))
  }
}
