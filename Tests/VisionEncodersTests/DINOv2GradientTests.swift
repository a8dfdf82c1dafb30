import Autograd
import Layers
import Tensors
import TestSupport
import Testing

@testable import VisionEncoders

/// Gradients of a whole tiny encoder, for those who train it, and none for those who freeze it.
@Suite struct DINOv2GradientTests {
  /// Two blocks of width 8 on a 3 × 3 grid, with weights large enough to matter.
  static func tinyEncoder() -> DINOv2 {
    var configuration = DINOv2Configuration()
    configuration.width = 8
    configuration.layers = 2
    configuration.heads = 2
    configuration.feedForwardRatio = 2
    configuration.patchSize = 2
    configuration.imageSize = 6
    configuration.initialDeviation = 0.4
    configuration.initialLayerScale = 0.7
    configuration.layerNormEpsilon = 1e-3
    return DINOv2(configuration, ParameterInitialiser(seed: 3))
  }

  /// The native grid, and one for which positions are resized.
  @Test(arguments: [[6, 6], [4, 8]])
  func everyParameter(_ size: [Int]) {
    let encoder = Self.tinyEncoder()
    let pixels = randomTensor([2, 3] + size, seed: 5)
    let problems = gradientDifferences(of: encoder.namedParameters, step: 5e-3, noise: 3e-4) {
      encoder.features(pixels, output: VisionOutput())
    }
    #expect(problems == [])
  }

  @Test func aFrozenEncoderRecordsNothing() {
    let encoder = Self.tinyEncoder()
    let pixels = randomTensor([1, 3, 6, 6], seed: 5)
    #expect(encoder.features(pixels, output: VisionOutput()).needsGradient)
    encoder.freeze()
    let features = encoder.features(pixels, output: VisionOutput())
    #expect(!features.needsGradient)
    let gradients = Gradients()
    gradients.addBackward(from: features.sum())
    for entry in encoder.namedParameters {
      #expect(entry.parameter.gradient(in: gradients) == nil, "\(entry.name)")
    }
  }

  /// A layer chosen before the last leaves the parameters behind it without a gradient.
  @Test func onlyTheBlocksThatRunAreTrained() {
    let encoder = Self.tinyEncoder()
    let gradients = Gradients()
    let output = VisionOutput(layer: 1, appliesFinalNorm: false)
    gradients.addBackward(
      from: encoder.features(randomTensor([1, 3, 6, 6], seed: 5), output: output).sum())
    for entry in encoder.namedParameters {
      let runs = !entry.name.hasPrefix("blocks.1.") && !entry.name.hasPrefix("norm.")
      #expect((entry.parameter.gradient(in: gradients) != nil) == runs, "\(entry.name)")
    }
  }
}
