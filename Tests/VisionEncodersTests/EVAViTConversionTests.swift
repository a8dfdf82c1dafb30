import Autograd
import Layers
import Tensors
import TestSupport
import Testing

@testable import VisionEncoders

/// Other encoders in the shape that public BLIP-2 models hold.
@Suite struct EVAViTConversionTests {
  private func features(_ encoder: any VisionEncoder, side: Int) -> Tensor {
    let pixels = randomTensor([2, 3, side, side], seed: 5)
    return withoutGradients {
      encoder.features(pixels, output: VisionOutput(appliesFinalNorm: false)).value
    }
  }

  private func small<Sizes: ViTConfiguration>(_ start: Sizes) -> Sizes {
    var sizes = start
    (sizes.width, sizes.layers, sizes.heads, sizes.patchSize, sizes.imageSize) = (16, 3, 2, 4, 16)
    return sizes
  }

  /// With every number drawn, LayerScale and biases among them.
  @Test func dinov2WithoutItsNorm() throws {
    let encoder = DINOv2(small(DINOv2Configuration()), ParameterInitialiser(seed: 1))
    for (index, entry) in encoder.namedParameters.enumerated() {
      entry.parameter.value = randomTensor(
        entry.parameter.shape, seed: UInt64(index), deviation: 0.5)
    }
    let plain = try #require(encoder.plain)
    #expect(plain.configuration.layerNormEpsilon == encoder.configuration.layerNormEpsilon)
    let (mine, expected) = (features(plain, side: 16), features(encoder, side: 16))
    #expect(difference(mine, expected, relative: 1e-5) == nil)
  }

  @Test func evaIsItselfAndCLIPIsNone() {
    let eva = EVAViT(small(EVAViTConfiguration()), ParameterInitialiser(seed: 1))
    #expect(eva.plain?.configuration == eva.configuration)
    let clip = CLIPViT(small(CLIPViTConfiguration()), ParameterInitialiser(seed: 1))
    #expect(clip.plain == nil)
  }

  /// The table of positions is resized as it is for each batch of such images.
  @Test func imagesOfAnotherSize() {
    let encoder = EVAViT(small(EVAViTConfiguration()), ParameterInitialiser(seed: 1))
    let fitted = encoder.fitted(toImages: 24)
    #expect(fitted.nativeImageSize == 24)
    #expect(features(fitted, side: 24).values == features(encoder, side: 24).values)
    #expect(encoder.fitted(toImages: 16).nativeImageSize == 16)
  }
}
