import Autograd
import Layers
import PublicFormats
import Tensors

/// Images as tokens: the class token, then each patch's linear image, all with their positions.
struct PatchEmbedding: Module {
  /// `[1, 1, width]`.
  let classToken: Parameter
  /// `[1, 1 + patches, width]`, the class token's position first.
  let positions: Parameter
  let patchEmbedding: Linear
  let patchSize: Int
  private let gridSide: Int

  init(
    _ configuration: some ViTConfiguration, hasPatchBias: Bool = true,
    _ initialiser: ParameterInitialiser
  ) {
    let (width, deviation) = (configuration.width, configuration.initialDeviation)
    patchSize = configuration.patchSize
    gridSide = configuration.gridSide
    classToken = initialiser.normal([1, 1, width], standardDeviation: deviation, decays: false)
    let (side, places) = (gridSide, 1 + gridSide * gridSide)
    positions =
      switch configuration.initialPositions {
      case .normal:
        initialiser.normal([1, places, width], standardDeviation: deviation, decays: false)
      case .sineCosine:
        initialiser.given([1, places, width], decays: false) {
          PositionStart.sineCosineTable(side: side, width: width)
        }
      }
    patchEmbedding = Linear(
      inputs: 3 * patchSize * patchSize, outputs: width, hasBias: hasPatchBias,
      start: .normal(deviation: deviation), initialiser)
  }

  private var width: Int { classToken.shape[2] }

  /// The number of tokens of an image.
  func tokenCount(height: Int, width: Int) -> Int {
    1 + (height / patchSize) * (width / patchSize)
  }

  /// - Parameter pixels: `[images, 3, height, width]`, at least one patch each way. What is left at
  ///   the lower and right edges is not seen, as by the public models' strided convolution.
  /// - Returns: `[images · tokens, width]`.
  func callAsFunction(_ pixels: Tensor) -> Variable {
    let (images, height, imageWidth) = (pixels.shape[0], pixels.shape[2], pixels.shape[3])
    precondition(
      min(height, imageWidth) >= patchSize,
      "an image of \(imageWidth) × \(height) is less than a patch of \(patchSize)")
    let tokens = tokenCount(height: height, width: imageWidth)
    let patches = patchEmbedding(Variable(PatchExtraction.patches(pixels, side: patchSize)))
    let classRow = classToken.variable.reshaped([1, width])
    // Row 0 of the joined rows is the class token, which begins every image's tokens.
    let order = (0..<images * tokens).map { row -> Int32 in
      let (image, token) = (row / tokens, row % tokens)
      return token == 0 ? 0 : Int32(1 + image * (tokens - 1) + token - 1)
    }
    let rows = Variable.concatenatedRows([classRow, patches]).gatheredRows(order)
    let table = positionTable(rows: height / patchSize, columns: imageWidth / patchSize)
    return rows + table.gatheredRows((0..<images * tokens).map { Int32($0 % tokens) })
  }

  /// The positions for a grid of patches, the class token's first, `[1 + rows · columns, width]`.
  func positionTable(rows: Int, columns: Int) -> Variable {
    let table = positions.variable.reshaped([1 + gridSide * gridSide, width])
    let patches = PositionResizing.resized(
      table.rows(1..<1 + gridSide * gridSide), side: gridSide, rows: rows, columns: columns)
    return .concatenatedRows([table.rows(0..<1), patches])
  }

  /// Public files have a patch convolution `[width, 3, side, side]`: the same numbers as our matrix.
  var publicForms: [String: PublicFormat.Form] {
    ["patchEmbedding.weight": .reshaped { [patchSize] in [$0[0], 3, patchSize, patchSize] }]
  }
}
