import Autograd
import Layers
import Tensors

/// CLIP's image encoder (Radford et al. 2021): a vision transformer with a norm before the first
/// block, no bias in the patch embedding, and quick GELU.
///
/// The norm after the last block is meant for the class token alone; as `finalNorm` it acts on all
/// tokens alike. BLIP-2 takes what the last block but one puts out, without it (Li et al. 2023, §3.4).
public struct CLIPViT: VisionEncoder {
  public let configuration: CLIPViTConfiguration
  let embedding: PatchEmbedding
  let initialNorm: LayerNorm
  let blocks: ModuleList<PreNormBlock<SelfAttention>>
  let norm: LayerNorm

  public init(_ configuration: CLIPViTConfiguration, _ initialiser: ParameterInitialiser) {
    self.configuration = configuration
    let (width, epsilon) = (configuration.width, configuration.layerNormEpsilon)
    embedding = PatchEmbedding(configuration, hasPatchBias: false, initialiser)
    initialNorm = LayerNorm(width: width, epsilon: epsilon, initialiser)
    blocks = ModuleList(
      (0..<configuration.layers).map { _ in
        PreNormBlock(configuration, activation: configuration.activation, initialiser)
      })
    norm = LayerNorm(width: width, epsilon: epsilon, initialiser)
  }

  public var members: [Member] {
    embedding.members + [
      .module("initialNorm", initialNorm), .module("blocks", blocks), .module("norm", norm),
    ]
  }

  public var width: Int { configuration.width }
  public var patchSize: Int { configuration.patchSize }
  public var layerCount: Int { configuration.layers }
  public var nativeImageSize: Int { configuration.imageSize }
  public var defaultOutput: VisionOutput {
    VisionOutput(layer: layerCount - 1, appliesFinalNorm: false)
  }
  public var hasFinalNorm: Bool { true }
  public var familyNormalisation: PixelNormalisation { .clip }

  public func tokenCount(height: Int, width: Int) -> Int {
    embedding.tokenCount(height: height, width: width)
  }

  public func features(_ pixels: Tensor, output: VisionOutput) -> Variable {
    var x = initialNorm(embedding(pixels))
    let layout = embedding.layout(of: pixels)
    for block in blocks.elements.prefix(output.layer ?? layerCount) { x = block(x, layout) }
    if output.appliesFinalNorm { x = norm(x) }
    return x.reshaped(embedding.featureShape(of: pixels))
  }
}
