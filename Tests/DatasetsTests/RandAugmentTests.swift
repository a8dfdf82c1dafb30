import Foundation
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import Datasets

/// The operations against OpenCV and numpy, and how they are drawn.
@Suite struct RandAugmentTests {
  private static let reference = Goldens.repository.appendingPathComponent(
    "Tests/Fixtures/rand-augment/golden.safetensors")

  private func image(_ file: SafetensorsFile, _ name: String) throws -> RGBImage {
    let tensor = try file.tensor(named: name)
    return RGBImage(
      width: tensor.shape[1], height: tensor.shape[0], pixels: Array(tensor.bytes))
  }

  @Test func everyOperation() throws {
    let file = try SafetensorsFile(Self.reference)
    var compared = 0
    for name in file.names where !name.hasSuffix("/input") {
      let parts = name.split(separator: "/").map(String.init)
      let operation = try #require(
        RandAugment.Operation.allCases.first { "\($0)" == parts[2] }, "\(name)")
      let magnitude = try #require(Double(parts[1]))
      let policy = RandAugment(magnitude: magnitude)
      let result = policy.apply(
        operation, to: try image(file, "\(parts[0])/input"),
        direction: parts.last == "reverse" ? -1 : 1)
      let expected = try image(file, name)
      let largest = zip(result.pixels, expected.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 0
      // A matrix of single precision moves a place by a step of 1/32 pixel here and there.
      let isWarp = parts.count > 3
      #expect(largest <= (isWarp ? 2 : 0), "\(name)")
      compared += 1
    }
    #expect(compared > 0)
  }

  @Test func operationsAreDrawnEvenlyAndDoneHalfOfTheTime() {
    let pixels = (0..<(24 * 24 * 3)).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 / 72) }
    let image = RGBImage(width: 24, height: 24, pixels: pixels)
    var unchanged = 0
    for sample in 0..<2000 {
      var random = RandomStream(Philox(seed: 5, stream: 0), site: 1, sample: UInt32(sample))
      let result = RandAugment(operations: 1).apply(to: image, using: &random)
      var again = RandomStream(Philox(seed: 5, stream: 0), site: 1, sample: UInt32(sample))
      #expect(RandAugment(operations: 1).apply(to: image, using: &again) == result)
      if result == image { unchanged += 1 }
    }
    // Not done in half of the cases; identity, brightness and sharpness change nothing at magnitude
    // 5, nor does full contrast here: 1/2 + 4/20 = 0.7, four standard deviations either way.
    #expect(abs(Double(unchanged) / 2000 - 0.7) < 0.042, "\(unchanged)")
  }

  @Test func theTransformFlipsFirst() {
    let image = RGBImage(
      width: 8, height: 8, pixels: (0..<192).map { UInt8(truncatingIfNeeded: $0 &* 29) })
    let normalization = ImageNormalization(
      mean: SIMD3(repeating: 0), standardDeviation: SIMD3(repeating: 1))
    let size = ImageSize(width: 8, height: 8)
    let transform = ImageTransform(
      size: size, framing: .whole, flipProbability: 1, randAugment: RandAugment(magnitude: 9),
      normalization: normalization)
    var random = RandomStream(Philox(seed: 1, stream: 2), site: 3, sample: 4)
    let result = transform.apply(to: image, using: &random)
    var same = RandomStream(Philox(seed: 1, stream: 2), site: 3, sample: 4)
    _ = same.uniform()
    let mirrored = image.turned(.mirrored)
    let expected = RandAugment(magnitude: 9).apply(to: mirrored, using: &same)
    var written = [Float](repeating: 0, count: 192)
    written.withUnsafeMutableBufferPointer { normalization.write(expected, into: $0) }
    #expect(result == written)
  }
}
