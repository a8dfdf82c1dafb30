import Datasets
import Foundation
import Reporting
import Tensors

/// Times the training image pipeline on one thread, as a loader's worker runs it: JPEG files of
/// 640 x 480 pixels, decoded, cut by a random resized crop to 224 x 224 with the bicubic filter,
/// flipped half of the time, normalised.
public struct ImageBenchmark {
  /// The images of a round.
  public var count = 300
  /// The fastest of so many rounds counts.
  public static let rounds = 4
  private static let files = 16

  public init() {}

  /// - Parameter report: Is told of each round.
  /// - Throws: `ImageEncodingError` or `ImageError`, where memory does not suffice.
  public func run(report: (String) -> Void) throws -> ImageBenchmarkResult {
    let images = MemoryImages(
      files: try (0..<Self.files).map { try Self.file($0).jpeg(quality: 90) })
    let content = ImageContent(transform: .training())
    var output = [Float](repeating: 0, count: content.valueCount)
    var best = Double.infinity
    for round in 0..<Self.rounds {
      let begin = ContinuousClock.now
      try output.withUnsafeMutableBufferPointer { output in
        for index in 0..<count {
          var random = RandomStream(Philox(seed: 1), site: 5, sample: UInt32(round * count + index))
          let sample = try images.sample(at: index % Self.files, seed: 0, epoch: 0)
          try content.write(sample, of: images, using: &random, into: output)
        }
      }
      let rate = Double(count) / (ContinuousClock.now - begin).inSeconds
      best = min(best, 1 / rate)
      report(String(format: "%.1f images/s", rate))
    }
    report(try parts(of: images))
    return ImageBenchmarkResult(
      imagesPerSecond: 1 / best, meanFileSize: images.files.map(\.count).reduce(0, +) / Self.files
    )
  }

  /// Smooth noise, which compresses like a photograph that is rich in detail.
  private static func file(_ index: Int) -> RGBImage {
    var random = RandomStream(Philox(seed: 0), site: 4, sample: UInt32(index))
    let noise = (0..<80 * 60 * 3).map { _ in UInt8.random(in: 0..<255, using: &random) }
    return RGBImage(width: 80, height: 60, pixels: noise)
      .resized(to: ImageSize(width: 640, height: 480))
  }

  /// What an image's time goes to, step by step.
  private func parts(of images: MemoryImages) throws -> String {
    let (decoder, transform) = (ImageDecoder(), ImageTransform.training())
    var output = [Float](repeating: 0, count: transform.outputCount)
    var (decoding, resizing, normalising) = (Duration.zero, Duration.zero, Duration.zero)
    let clock = ContinuousClock()
    for index in 0..<count {
      var random = RandomStream(Philox(seed: 2), site: 5, sample: UInt32(index))
      let begin = clock.now
      let image = try decoder.decode(bytes: images.files[index % Self.files])
      let decoded = clock.now
      let box = RandomResizedCrop().box(
        in: ImageSize(width: image.width, height: image.height), using: &random)
      let small = image.resized(box, to: transform.size)
      let resized = clock.now
      output.withUnsafeMutableBufferPointer {
        transform.normalization.write(small, flipped: index % 2 == 0, into: $0)
      }
      decoding += decoded - begin
      resizing += resized - decoded
      normalising += clock.now - resized
    }
    let milliseconds = [decoding, resizing, normalising].map { $0.inSeconds * 1000 / Double(count) }
    return String(
      format: "decoding %.3f ms, crop and resize %.3f ms, flip and normalise %.3f ms",
      milliseconds[0], milliseconds[1], milliseconds[2])
  }
}

/// What the benchmark of images measured.
public struct ImageBenchmarkResult: Encodable {
  public let imagesPerSecond: Double
  /// In bytes.
  public let meanFileSize: Int

  /// `best R images/s on one core, mean file K KiB`.
  public var line: String {
    String(format: "best %.1f images/s on one core, mean file ", imagesPerSecond)
      + Quantity.bytes(meanFileSize)
  }
}

/// Image files in memory, without captions.
private struct MemoryImages: SampleSource {
  let files: [[UInt8]]

  var count: Int { files.count }

  func sample(at index: Int, seed: UInt64, epoch: Int) throws -> CaptionSample {
    CaptionSample(
      index: index, image: index, imageId: Int64(index), caption: "", path: "image \(index)")
  }

  func imageBytes(ofImage image: Int, limit: Int) throws -> [UInt8] { files[image] }
}
