import Autograd
import Layers
import PublicFormats
import Tensors

/// A vision transformer: patches as tokens, then blocks normalised before each sublayer.
protocol ViT: VisionEncoder {
  associatedtype Configuration: ViTConfiguration
  associatedtype Attention: SelfAttention

  /// The `model_type` of whole models whose `vision_config` an encoder may be.
  static var wholeModelType: String? { get }

  init(_ configuration: Configuration, _ initialiser: ParameterInitialiser)

  var configuration: Configuration { get }
  var embedding: PatchEmbedding { get }
  /// Before the first block.
  var initialNorm: LayerNorm? { get }
  var blocks: ModuleList<PreNormBlock<Attention>> { get }
  /// After the last block.
  var norm: LayerNorm? { get }
}

extension ViT {
  static var wholeModelType: String? { nil }

  var initialNorm: LayerNorm? { nil }

  public var width: Int { configuration.width }
  public var patchSize: Int { configuration.patchSize }
  public var layerCount: Int { configuration.layers }
  public var nativeImageSize: Int { configuration.imageSize }
  public var hasFinalNorm: Bool { norm != nil }
  public var publicConfiguration: [String: Any] { configuration.publicValues }

  public func tokenCount(height: Int, width: Int) -> Int {
    embedding.tokenCount(height: height, width: width)
  }

  public func features(_ pixels: Tensor, output: VisionOutput) -> Variable {
    precondition(norm != nil || !output.appliesFinalNorm, "the image encoder has no final norm")
    var x = embedding(pixels)
    if let initialNorm { x = initialNorm(x) }
    let (images, tokens) = (
      pixels.shape[0], tokenCount(height: pixels.shape[2], width: pixels.shape[3])
    )
    // Each image's tokens see one another.
    let layout = AttentionLayout.separate(sequences: images, length: tokens)
    for block in blocks.elements.prefix(output.layer ?? layerCount) { x = block(x, layout: layout) }
    if output.appliesFinalNorm, let norm { x = norm(x) }
    return x.reshaped([images, tokens, width])
  }
}

extension ViTConfiguration {
  func norm(_ initialiser: ParameterInitialiser) -> LayerNorm {
    LayerNorm(width: width, epsilon: layerNormEpsilon, initialiser)
  }

  var attentionHeads: AttentionHeads { AttentionHeads(heads, width: width / heads) }

  /// Self-attention with a map each for queries, keys and values.
  func attention(_ initialiser: ParameterInitialiser) -> MultiHeadAttention {
    MultiHeadAttention(
      width: width, heads: attentionHeads, deviation: initialDeviation, initialiser)
  }

  /// All blocks.
  /// - Parameter layerScale: Where LayerScale starts; nil for none.
  func blocks<Attention>(
    activation: Activation = .gelu, layerScale: Float? = nil, _ initialiser: ParameterInitialiser,
    attention: () -> Attention
  ) -> ModuleList<PreNormBlock<Attention>> {
    ModuleList(
      (0..<layers).map { _ in
        PreNormBlock(
          attention(),
          FeedForward(
            width: width, innerWidth: feedForwardWidth, activation: activation,
            deviation: initialDeviation, initialiser),
          width: width, epsilon: layerNormEpsilon, layerScale: layerScale, initialiser)
      })
  }
}
