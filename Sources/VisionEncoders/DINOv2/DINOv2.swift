import Autograd
import Layers
import Tensors

/// DINOv2 (Oquab et al. 2023): a vision transformer with LayerScale, normalised before each block.
public struct DINOv2: VisionEncoder {
  public let configuration: DINOv2Configuration
  /// `[1, 1, width]`.
  let classToken: Parameter
  /// `[1, 1 + patches, width]`, the class token's position first.
  let positions: Parameter
  let patchEmbedding: Linear
  let blocks: ModuleList<DINOv2Block>
  let norm: LayerNorm

  public init(_ configuration: DINOv2Configuration, _ initialiser: ParameterInitialiser) {
    self.configuration = configuration
    let (width, side) = (configuration.width, configuration.patchSize)
    let deviation = configuration.initialDeviation
    classToken = initialiser.normal([1, 1, width], standardDeviation: deviation, decays: false)
    let places = configuration.gridSide * configuration.gridSide + 1
    positions = initialiser.normal(
      [1, places, width], standardDeviation: deviation, decays: false)
    patchEmbedding = Linear(
      inputs: 3 * side * side, outputs: width, start: .normal(deviation: deviation), initialiser)
    blocks = ModuleList(
      (0..<configuration.layers).map { _ in DINOv2Block(configuration, initialiser) })
    norm = LayerNorm(width: width, epsilon: configuration.layerNormEpsilon, initialiser)
  }

  public var members: [Member] {
    [
      .parameter("classToken", classToken), .parameter("positions", positions),
      .module("patchEmbedding", patchEmbedding), .module("blocks", blocks), .module("norm", norm),
    ]
  }

  public var width: Int { configuration.width }
  public var patchSize: Int { configuration.patchSize }
  public var layerCount: Int { configuration.layers }
  public var nativeImageSize: Int { configuration.imageSize }

  public func tokenCount(height: Int, width: Int) -> Int {
    1 + (height / patchSize) * (width / patchSize)
  }

  public func features(_ pixels: Tensor, output: VisionOutput) -> Variable {
    let (images, height, imageWidth) = (pixels.shape[0], pixels.shape[2], pixels.shape[3])
    precondition(
      height % patchSize == 0 && imageWidth % patchSize == 0,
      "an image of \(imageWidth) × \(height) is not made of patches of \(patchSize)")
    let tokens = tokenCount(height: height, width: imageWidth)
    var x = embeddings(pixels, tokens: tokens)
    let layout = AttentionLayout.separate(sequences: images, length: tokens)
    for block in blocks.elements.prefix(output.layer ?? layerCount) { x = block(x, layout) }
    if output.appliesFinalNorm { x = norm(x) }
    return x.reshaped([images, tokens, width])
  }

  /// Class token and patches with their positions, `[images · tokens, width]`.
  private func embeddings(_ pixels: Tensor, tokens: Int) -> Variable {
    let images = pixels.shape[0]
    let patches = patchEmbedding(
      Variable(PatchExtraction.patches(pixels, side: patchSize)))
    let classRow = classToken.variable.reshaped([1, width])
    // Row 0 of the joined rows is the class token, which begins every image's tokens.
    let order = (0..<images * tokens).map { row -> Int32 in
      let (image, token) = (row / tokens, row % tokens)
      return token == 0 ? 0 : Int32(1 + image * (tokens - 1) + token - 1)
    }
    let rows = Variable.concatenatedRows([classRow, patches]).gatheredRows(order)
    let table = positionTable(
      rows: pixels.shape[2] / patchSize, columns: pixels.shape[3] / patchSize)
    return rows + table.gatheredRows((0..<images * tokens).map { Int32($0 % tokens) })
  }

  /// The positions for a grid of patches, the class token's first, `[1 + rows · columns, width]`.
  func positionTable(rows: Int, columns: Int) -> Variable {
    let side = configuration.gridSide
    let table = positions.variable.reshaped([1 + side * side, width])
    let patches = PositionResizing.resized(
      table.rows(1..<1 + side * side), side: side, rows: rows, columns: columns)
    return .concatenatedRows([table.rows(0..<1), patches])
  }
}

/// `x + λ₁ · attention(norm₁(x))`, then `x + λ₂ · feedForward(norm₂(x))`.
struct DINOv2Block: Module {
  let norm1: LayerNorm
  let query: Linear
  let key: Linear
  let value: Linear
  let output: Linear
  /// λ₁ and λ₂, `[width]`.
  let scale1: Parameter
  let scale2: Parameter
  let norm2: LayerNorm
  let inner: Linear
  let outer: Linear
  let headCount: Int

  init(_ configuration: DINOv2Configuration, _ initialiser: ParameterInitialiser) {
    let width = configuration.width
    let start = Linear.Start.normal(deviation: configuration.initialDeviation)
    let epsilon = configuration.layerNormEpsilon
    norm1 = LayerNorm(width: width, epsilon: epsilon, initialiser)
    query = Linear(inputs: width, outputs: width, start: start, initialiser)
    key = Linear(inputs: width, outputs: width, start: start, initialiser)
    value = Linear(inputs: width, outputs: width, start: start, initialiser)
    output = Linear(inputs: width, outputs: width, start: start, initialiser)
    scale1 = initialiser.constant([width], configuration.initialLayerScale)
    scale2 = initialiser.constant([width], configuration.initialLayerScale)
    norm2 = LayerNorm(width: width, epsilon: epsilon, initialiser)
    let innerWidth = width * configuration.feedForwardRatio
    inner = Linear(inputs: width, outputs: innerWidth, start: start, initialiser)
    outer = Linear(inputs: innerWidth, outputs: width, start: start, initialiser)
    headCount = configuration.heads
  }

  var members: [Member] {
    [
      .module("norm1", norm1), .module("query", query), .module("key", key),
      .module("value", value), .module("output", output), .parameter("scale1", scale1),
      .module("norm2", norm2), .module("inner", inner), .module("outer", outer),
      .parameter("scale2", scale2),
    ]
  }

  func callAsFunction(_ x: Variable, _ layout: AttentionLayout) -> Variable {
    let normalised = norm1(x)
    let scale = 1 / Float(x.shape[1] / headCount).squareRoot()
    let attended = query(normalised).attention(
      keys: key(normalised), values: value(normalised), layout: layout,
      options: AttentionOptions(headCount: headCount, scale: scale))
    let middle = x + output(attended).scaledColumns(by: scale1.variable)
    return middle
      + outer(inner.withGELU(norm2(middle))).scaledColumns(by: scale2.variable)
  }
}
