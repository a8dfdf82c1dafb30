import Autograd
import Layers
import Tensors

/// DINOv2 (Oquab et al. 2023): a vision transformer with LayerScale, normalised before each block.
public struct DINOv2: VisionEncoder {
  public let configuration: DINOv2Configuration
  let embedding: PatchEmbedding
  let blocks: ModuleList<DINOv2Block>
  let norm: LayerNorm

  public init(_ configuration: DINOv2Configuration, _ initialiser: ParameterInitialiser) {
    self.configuration = configuration
    embedding = PatchEmbedding(configuration, initialiser)
    blocks = ModuleList(
      (0..<configuration.layers).map { _ in DINOv2Block(configuration, initialiser) })
    norm = LayerNorm(
      width: configuration.width, epsilon: configuration.layerNormEpsilon, initialiser)
  }

  public var members: [Member] {
    embedding.members + [.module("blocks", blocks), .module("norm", norm)]
  }

  public var width: Int { configuration.width }
  public var patchSize: Int { configuration.patchSize }
  public var layerCount: Int { configuration.layers }
  public var nativeImageSize: Int { configuration.imageSize }
  public var defaultOutput: VisionOutput { VisionOutput(appliesFinalNorm: true) }
  public var hasFinalNorm: Bool { true }
  public var familyNormalisation: PixelNormalisation { .imageNet }

  public func tokenCount(height: Int, width: Int) -> Int {
    embedding.tokenCount(height: height, width: width)
  }

  public func features(_ pixels: Tensor, output: VisionOutput) -> Variable {
    var x = embedding(pixels)
    let layout = embedding.layout(of: pixels)
    for block in blocks.elements.prefix(output.layer ?? layerCount) { x = block(x, layout) }
    if output.appliesFinalNorm { x = norm(x) }
    return x.reshaped(embedding.featureShape(of: pixels))
  }
}

/// `x + λ₁ · attention(norm₁(x))`, then `x + λ₂ · feedForward(norm₂(x))`.
struct DINOv2Block: Module {
  let norm1: LayerNorm
  let attention: SelfAttention
  /// λ₁ and λ₂, `[width]`.
  let scale1: Parameter
  let scale2: Parameter
  let norm2: LayerNorm
  let feedForward: FeedForward

  init(_ configuration: DINOv2Configuration, _ initialiser: ParameterInitialiser) {
    let (width, epsilon) = (configuration.width, configuration.layerNormEpsilon)
    norm1 = LayerNorm(width: width, epsilon: epsilon, initialiser)
    attention = SelfAttention(configuration, initialiser)
    scale1 = initialiser.constant([width], configuration.initialLayerScale)
    scale2 = initialiser.constant([width], configuration.initialLayerScale)
    norm2 = LayerNorm(width: width, epsilon: epsilon, initialiser)
    feedForward = FeedForward(configuration, activation: .gelu, initialiser)
  }

  var members: [Member] {
    [.module("norm1", norm1)] + attention.members + [
      .parameter("scale1", scale1), .module("norm2", norm2),
    ] + feedForward.members + [.parameter("scale2", scale2)]
  }

  func callAsFunction(_ x: Variable, _ layout: AttentionLayout) -> Variable {
    let middle = x.adding(
      attention(norm1(x, forProducts: true), layout), scaledBy: scale1.variable)
    return middle.adding(
      feedForward(norm2(middle, forProducts: true)), scaledBy: scale2.variable)
  }
}
