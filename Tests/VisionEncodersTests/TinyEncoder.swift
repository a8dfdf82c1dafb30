import Layers

@testable import VisionEncoders

/// An encoder of each family: two blocks of width 8, with weights large enough to matter.
enum TinyEncoder: CaseIterable {
  case clip
  case clipWithExactGELU
  case dinov2
  case eva

  /// On a 3 × 3 grid.
  var made: any VisionEncoder { made(patchSize: 2, imageSize: 6) }

  func made(patchSize: Int, imageSize: Int) -> any VisionEncoder {
    let initialiser = ParameterInitialiser(seed: 3)
    switch self {
    case .clip, .clipWithExactGELU:
      var sizes = CLIPViTConfiguration()
      (sizes.width, sizes.layers, sizes.heads, sizes.feedForwardWidth) = (8, 2, 2, 12)
      (sizes.patchSize, sizes.imageSize) = (patchSize, imageSize)
      (sizes.initialDeviation, sizes.layerNormEpsilon) = (0.4, 1e-3)
      if self == .clipWithExactGELU { sizes.activation = .gelu }
      return CLIPViT(sizes, initialiser)
    case .dinov2:
      var sizes = DINOv2Configuration()
      (sizes.width, sizes.layers, sizes.heads, sizes.feedForwardRatio) = (8, 2, 2, 2)
      (sizes.patchSize, sizes.imageSize) = (patchSize, imageSize)
      (sizes.initialDeviation, sizes.layerNormEpsilon) = (0.4, 1e-3)
      sizes.initialLayerScale = 0.7
      return DINOv2(sizes, initialiser)
    case .eva:
      var sizes = EVAViTConfiguration()
      (sizes.width, sizes.layers, sizes.heads, sizes.feedForwardWidth) = (8, 2, 2, 11)
      (sizes.patchSize, sizes.imageSize) = (patchSize, imageSize)
      (sizes.initialDeviation, sizes.layerNormEpsilon) = (0.4, 1e-3)
      return EVAViT(sizes, initialiser)
    }
  }
}

extension VisionEncoder {
  /// All blocks, and the norm after them where there is one.
  var wholeOutput: VisionOutput { VisionOutput(appliesFinalNorm: hasFinalNorm) }
}
