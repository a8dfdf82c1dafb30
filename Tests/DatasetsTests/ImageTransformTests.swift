import Tensors
import Testing

@testable import Datasets

@Suite struct ImageTransformTests {
  @Test(arguments: GoldenImage.all) func resizesAsPillowDoes(golden: GoldenImage) throws {
    let image = try golden.image("rgb")
    let square = ImageSize(width: 32, height: 32)
    #expect(image.resized(to: square) == (try golden.image("resize_32x32")))
    let wide = ImageSize(width: 64, height: 48)
    #expect(image.resized(to: wide) == (try golden.image("resize_w64_h48")))
    let crop = image.resized(golden.crop.box, to: square)
    #expect(crop == (try golden.image("crop_resize_32x32")))
  }

  @Test(arguments: GoldenImage.all) func normalisesAsTheProcessorDoes(golden: GoldenImage) throws {
    let small = try golden.image("resize_32x32")
    let values = [Float](count: 3 * 32 * 32) { ImageNormalization.clip.write(small, into: $0) }
    let expected = try golden.floats("normalised_32")
    #expect(values.count == expected.count)
    #expect((zip(values, expected).map { abs($0 - $1) }.max() ?? .infinity) <= 1e-5)
  }

  @Test func unchangedSidesAreLeftAlone() throws {
    let image = noise(width: 40, height: 30)
    #expect(image.resized(to: ImageSize(width: 40, height: 30)) == image)
    let box = PixelBox(left: 3, top: 4, width: 20, height: 10)
    let cut = image.resized(box, to: ImageSize(width: 20, height: 10))
    for y in 0..<10 {
      let start = ((4 + y) * 40 + 3) * 3
      #expect(
        Array(image.pixels[start..<(start + 60)]) == Array(cut.pixels[(y * 60)..<(y * 60 + 60)]))
    }
  }

  /// Every shape near the widths of the vectors, against the formula written out plainly.
  @Test func vectorPassesAgreeWithThePlainFormula() throws {
    for (width, height) in [(1, 1), (1, 7), (2, 3), (5, 5), (6, 4), (17, 9), (33, 2), (640, 31)] {
      let image = noise(width: width, height: height)
      for size in [(1, 1), (3, 5), (16, 16), (7, 40)] {
        let target = ImageSize(width: size.0, height: size.1)
        #expect(image.resized(to: target) == plainResize(image, to: target))
      }
    }
  }

  @Test func flippingSwapsLeftAndRight() throws {
    let image = noise(width: 7, height: 3)
    let plain = [Float](count: 63) { ImageNormalization.clip.write(image, into: $0) }
    let flipped = [Float](count: 63) {
      ImageNormalization.clip.write(image, flipped: true, into: $0)
    }
    for row in 0..<9 {
      #expect(
        Array(plain[(row * 7)..<(row * 7 + 7)].reversed())
          == Array(flipped[(row * 7)..<(row * 7 + 7)]))
    }
  }

  @Test func cropBoxesKeepToTheirRanges() {
    let crop = RandomResizedCrop()
    let size = ImageSize(width: 640, height: 480)
    var areas: [Double] = []
    for sample in 0..<2000 {
      var random = RandomStream(Philox(seed: 7), site: 1, sample: UInt32(sample))
      let box = crop.box(in: size, using: &random)
      #expect(box.left >= 0 && box.top >= 0)
      #expect(box.left + box.width <= 640 && box.top + box.height <= 480)
      areas.append(Double(box.width * box.height) / (640 * 480))
      let ratio = Double(box.width) / Double(box.height)
      #expect(ratio > 0.745 && ratio < 1.342)
    }
    #expect((areas.min() ?? 0) > 0.495 && (areas.max() ?? 2) < 1.0)
    // 0.6619 and its deviation come from a simulation of the rule: tall boxes seldom fit.
    let mean = areas.reduce(0, +) / 2000
    #expect(abs(mean - 0.6619) < 4 * 0.0026)
  }

  @Test(arguments: [(1, 1), (1, 3), (5, 2000), (3000, 4), (2, 1)])
  func cropBoxesFitExtremeShapes(width: Int, height: Int) {
    for sample in 0..<50 {
      var random = RandomStream(Philox(seed: 3), site: 1, sample: UInt32(sample))
      let box = RandomResizedCrop().box(
        in: ImageSize(width: width, height: height), using: &random)
      #expect(box.width >= 1 && box.height >= 1 && box.left >= 0 && box.top >= 0)
      #expect(box.left + box.width <= width && box.top + box.height <= height)
    }
  }

  @Test func centralBoxIsTorchvisions() {
    var random = RandomStream(Philox(seed: 3), site: 1)
    let crop = RandomResizedCrop(area: 1...1, aspectRatio: 0.75...(4 / 3))
    let box = crop.box(in: ImageSize(width: 30, height: 400), using: &random)
    #expect(box == PixelBox(left: 0, top: 180, width: 30, height: 40))
    let wide = crop.box(in: ImageSize(width: 400, height: 30), using: &random)
    #expect(wide == PixelBox(left: 180, top: 0, width: 40, height: 30))
  }

  @Test func theSameStreamGivesTheSameNumbers() {
    let image = noise(width: 50, height: 40)
    let transform = ImageTransform.training(side: 16)
    func values(_ sample: UInt32) -> [Float] {
      var random = RandomStream(Philox(seed: 9), site: 2, sample: sample)
      return transform.apply(to: image, using: &random)
    }
    #expect(values(1) == values(1))
    #expect(values(1) != values(2))
    let flips = (0..<400).count { sample in
      var random = RandomStream(Philox(seed: 9), site: 2, sample: UInt32(sample))
      let whole = ImageTransform(
        size: ImageSize(width: 50, height: 40), framing: .whole, flipProbability: 0.5,
        normalization: .clip)
      let plain = [Float](count: 6000) { ImageNormalization.clip.write(image, into: $0) }
      return whole.apply(to: image, using: &random) != plain
    }
    #expect(flips > 160 && flips < 240)
  }
}

/// Random samples, the same in every run.
func noise(width: Int, height: Int, seed: UInt64 = 1) -> RGBImage {
  var random = RandomStream(Philox(seed: seed), site: 0)
  return RGBImage(
    width: width, height: height,
    pixels: (0..<(width * height * 3)).map { _ in UInt8(truncatingIfNeeded: random.nextWord()) })
}

/// The resize written out sample by sample.
private func plainResize(_ image: RGBImage, to size: ImageSize) -> RGBImage {
  func sample(_ weights: BicubicWeights, _ index: Int, _ value: (Int) -> UInt8) -> UInt8 {
    var sum = 1 << 21
    for place in weights.offsets[index]..<weights.offsets[index + 1] {
      let pixel = weights.starts[index] + place - weights.offsets[index]
      sum += Int(value(pixel)) * Int(weights.values[place])
    }
    return UInt8(min(max(sum >> 22, 0), 255))
  }
  var current = image
  if size.width != image.width {
    let weights = BicubicWeights(from: image.width, to: size.width)
    var pixels: [UInt8] = []
    for y in 0..<image.height {
      for x in 0..<size.width {
        for c in 0..<3 {
          pixels.append(sample(weights, x) { image.pixels[(y * image.width + $0) * 3 + c] })
        }
      }
    }
    current = RGBImage(width: size.width, height: image.height, pixels: pixels)
  }
  if size.height != image.height {
    let weights = BicubicWeights(from: image.height, to: size.height)
    let rows = current
    var pixels: [UInt8] = []
    for y in 0..<size.height {
      for i in 0..<(size.width * 3) {
        pixels.append(sample(weights, y) { rows.pixels[$0 * size.width * 3 + i] })
      }
    }
    current = RGBImage(width: size.width, height: size.height, pixels: pixels)
  }
  return current
}
