import Autograd
import Layers
import Tensors

/// Other encoders as the plain vision transformer that public BLIP-2 models hold.
extension VisionEncoder {
  /// The same function without what comes after the last block; nil for a family that is none: CLIP has a
  /// norm before its first block.
  ///
  /// EVA's is itself. DINOv2's LayerScale is multiplied into the maps before it, which rounds each of their
  /// numbers once.
  public var plain: EVAViT? {
    switch self {
    case let encoder as EVAViT: encoder
    case let encoder as DINOv2: EVAViT(encoder)
    default: nil
    }
  }
}

extension EVAViT {
  /// - Parameter encoder: Its norm after the last block is left out.
  fileprivate init(_ encoder: DINOv2) {
    let given = encoder.configuration
    var sizes = EVAViTConfiguration()
    (sizes.width, sizes.layers, sizes.heads) = (given.width, given.layers, given.heads)
    (sizes.patchSize, sizes.imageSize) = (given.patchSize, given.imageSize)
    sizes.feedForwardWidth = given.feedForwardWidth
    sizes.layerNormEpsilon = given.layerNormEpsilon
    self.init(sizes, ParameterInitialiser(seed: 0))
    let parameters = encoder.namedParameters.map { ($0.name, $0.parameter) }
    let byName = Dictionary(uniqueKeysWithValues: parameters)
    for entry in namedParameters {
      entry.parameter.value = EVAViT.value(of: entry.name, entry.parameter.shape, from: byName)
    }
  }

  private static func value(
    of name: String, _ shape: [Int], from given: [String: Parameter]
  ) -> Tensor {
    func values(_ name: String) -> [Float] {
      guard let parameter = given[name] else { preconditionFailure("DINOv2 has no \(name)") }
      return parameter.value.values
    }
    let parts = name.split(separator: ".").map(String.init)
    // blocks.0.qkv.weight
    guard parts.count == 4, parts[0] == "blocks" else { return Tensor(values(name), shape: shape) }
    let block = "blocks.\(parts[1])"
    if parts[2] == "qkv" {
      let maps = ["query", "key", "value"].flatMap { values("\(block).\($0).\(parts[3])") }
      return Tensor(maps, shape: shape)
    }
    guard let scale = ["output": "scale1", "outer": "scale2"][parts[2]] else {
      return Tensor(values(name), shape: shape)
    }
    let factors = values("\(block).\(scale)")
    let rowLength = shape.dropFirst().reduce(1, *)
    let scaled = values(name).enumerated().map { $1 * factors[$0 / rowLength] }
    return Tensor(scaled, shape: shape)
  }

  /// The encoder for images of another size: its table of positions is resized once, in place of for each
  /// batch.
  public func fitted(toImages side: Int) -> EVAViT {
    if side == configuration.imageSize { return self }
    var sizes = configuration
    sizes.imageSize = side
    let result = EVAViT(sizes, ParameterInitialiser(seed: 0))
    let grid = sizes.gridSide
    let table = withoutGradients { embedding.positionTable(rows: grid, columns: grid).value }
    for (mine, other) in zip(namedParameters, result.namedParameters) {
      other.parameter.value =
        mine.name == "positions"
        ? table.reshaped(other.parameter.shape) : mine.parameter.value
    }
    return result
  }
}
