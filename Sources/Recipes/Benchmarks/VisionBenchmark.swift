import Autograd
import Layers
import Tensors
import VisionEncoders

/// Times a frozen image encoder's forward pass on random pixels `[batch, 3, 224, 224]`, with random
/// weights of a public shape; nothing is kept for gradients.
public struct VisionBenchmark {
  public var shape = BenchmarkVisionModel.vitG
  public var batch = 8
  public var steps = 5
  /// The precision of the linear maps' products.
  public var precision = ProductPrecision.float32

  public init() {}

  /// - Parameter report: Is told of each step.
  public func run(report: (String) -> Void) -> BenchmarkResult {
    let encoder = shape.model(seed: 4, precision)
    let pixels = Tensor.normal(
      [batch, 3, 224, 224], standardDeviation: 1, generator: Philox(seed: 1), site: 1)
    let output = VisionOutput(appliesFinalNorm: encoder.hasFinalNorm)
    return BenchmarkResult(steps: steps, count: batch, unit: "images", report: report) { _ in
      let features = withoutGradients { encoder.features(pixels, output: output) }
      return "features " + features.shape.map(String.init).joined(separator: " x ")
    }
  }
}

/// Image encoders of public shapes with random weights, for images of 224 x 224.
public enum BenchmarkVisionModel: String, CaseIterable, Sendable {
  /// EVA-CLIP's ViT-g.
  case vitG = "vit-g"
  /// CLIP's ViT-L, of which BLIP-2 runs all blocks but the last.
  case vitL = "vit-l"
  /// DINOv2's small one.
  case dinov2S = "dinov2-s"

  /// - Parameter precision: In bfloat16, matrices are kept so, as a file would hold them.
  func model(seed: UInt64, _ precision: ProductPrecision) -> any VisionEncoder {
    let initialiser = ParameterInitialiser(seed: seed)
    let model: any VisionEncoder =
      switch self {
      case .vitG: EVAViT(EVAViTConfiguration(), initialiser)
      case .vitL: CLIPViT(.large, initialiser)
      case .dinov2S: DINOv2(.small, initialiser)
      }
    model.freezeForBenchmark(in: precision)
    model.freezeForInference()
    return model
  }
}

extension Module {
  /// Freezes a model as a benchmark wants it: in bfloat16, matrices are kept so, as a file would
  /// hold them.
  func freezeForBenchmark(in precision: ProductPrecision) {
    freeze()
    multiply(in: precision)
    guard precision == .bfloat16 else { return }
    for entry in namedParameters where entry.parameter.shape.count == 2 {
      entry.parameter.freeze(as: BFloat16Weight(DenseWeight(entry.parameter.value)))
    }
  }
}
