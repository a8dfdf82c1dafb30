import Autograd
import Foundation
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import VisionEncoders

/// Frozen encoders whose maps multiply in int8, against the same in float32.
@Suite struct Int8EncoderTests {
  static let runs = GoldenRun.all(beginning: "dinov2")

  /// The least cosine of a token's features in float32 and in int8.
  private func leastCosine(_ encoder: any VisionEncoder, _ pixels: Tensor) -> Float {
    encoder.freeze()
    let output = VisionOutput(appliesFinalNorm: encoder.hasFinalNorm)
    let exact = encoder.features(pixels, output: output).value.values
    encoder.multiply(in: .int8)
    let rounded = encoder.features(pixels, output: output).value.values
    #expect(exact != rounded)
    return stride(from: 0, to: exact.count, by: encoder.width).map { start in
      let (a, b) = (
        exact[start..<start + encoder.width], rounded[start..<start + encoder.width]
      )
      let product = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
      let squares = a.reduce(0) { $0 + $1 * $1 } * b.reduce(0) { $0 + $1 * $1 }
      return product / squares.squareRoot()
    }.min() ?? 0
  }

  @Test(arguments: runs)
  func dinov2(_ run: GoldenRun) throws {
    let cosine = leastCosine(try DINOv2(folder: run.folder), try run.pixels)
    #expect(cosine > 0.995, "\(cosine)")
  }

  /// The weights of a golden of EVA's, under its public names.
  @Test(arguments: EVAGolden.all)
  func eva(_ golden: EVAGolden) throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("model.safetensors")
    try SafetensorsWriter.write(try golden.weights, metadata: [:], to: file)
    for run in EVAViTParityTests.runs where run.folder == golden.folder {
      let encoder = try VisionEncoderFamily.encoder(at: file, heads: try golden.sizes.numHeads)
      let cosine = leastCosine(encoder, try run.pixels)
      #expect(cosine > 0.995, "\(run): \(cosine)")
    }
  }

  @Test func goldensArePresent() { #expect(!Self.runs.isEmpty && !EVAGolden.all.isEmpty) }
}
