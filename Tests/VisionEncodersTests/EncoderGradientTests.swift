import Autograd
import Layers
import Tensors
import TestSupport
import Testing

@testable import VisionEncoders

/// Gradients of whole tiny encoders, for those who train them, and none for those who freeze them.
@Suite struct EncoderGradientTests {
  /// All blocks and, where there is one, the final norm.
  private func whole(_ encoder: any VisionEncoder) -> VisionOutput {
    VisionOutput(appliesFinalNorm: encoder.hasFinalNorm)
  }

  /// The native grid, and one for which positions are resized.
  @Test(arguments: TinyEncoder.allCases, [[6, 6], [4, 8]])
  func everyParameter(_ kind: TinyEncoder, size: [Int]) {
    let encoder = kind.made
    let pixels = randomTensor([2, 3] + size, seed: 5)
    let problems = gradientDifferences(of: encoder.namedParameters, step: 1e-2, noise: 3e-4) {
      encoder.features(pixels, output: whole(encoder))
    }
    #expect(problems == [])
  }

  @Test(arguments: TinyEncoder.allCases)
  func aFrozenEncoderRecordsNothing(_ kind: TinyEncoder) {
    let encoder = kind.made
    let pixels = randomTensor([1, 3, 6, 6], seed: 5)
    #expect(encoder.features(pixels, output: whole(encoder)).needsGradient)
    encoder.freeze()
    let features = encoder.features(pixels, output: whole(encoder))
    #expect(!features.needsGradient)
    let gradients = Gradients()
    gradients.addBackward(from: features.sum())
    for entry in encoder.namedParameters {
      #expect(entry.parameter.gradient(in: gradients) == nil, "\(entry.name)")
    }
  }

  /// A layer chosen before the last leaves the parameters behind it without a gradient.
  @Test(arguments: TinyEncoder.allCases)
  func onlyTheBlocksThatRunAreTrained(_ kind: TinyEncoder) {
    let encoder = kind.made
    let gradients = Gradients()
    let output = VisionOutput(layer: 1, appliesFinalNorm: false)
    gradients.addBackward(
      from: encoder.features(randomTensor([1, 3, 6, 6], seed: 5), output: output).sum())
    for entry in encoder.namedParameters {
      let runs = !entry.name.hasPrefix("blocks.1.") && !entry.name.hasPrefix("norm.")
      #expect((entry.parameter.gradient(in: gradients) != nil) == runs, "\(entry.name)")
    }
  }

  @Test func finalNorms() {
    #expect(!TinyEncoder.eva.made.hasFinalNorm && TinyEncoder.clip.made.hasFinalNorm)
  }
}
