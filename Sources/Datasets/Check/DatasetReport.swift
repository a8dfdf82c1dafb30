import Foundation

/// What a data set holds, found by reading all of it once.
public struct DatasetReport: Sendable {
  /// Smallest, middle, mean and largest of a set of numbers.
  public struct Summary: Equatable, Sendable {
    public var minimum: Int
    /// The middle number; of an even count, the lower of the two in the middle.
    public var median: Int
    public var mean: Double
    public var maximum: Int

    /// Nil where there are no numbers.
    init?(_ numbers: [Int]) {
      guard !numbers.isEmpty else { return nil }
      let sorted = numbers.sorted()
      minimum = sorted[0]
      median = sorted[(sorted.count - 1) / 2]
      mean = sorted.reduce(0) { $0 + Double($1) } / Double(sorted.count)
      maximum = sorted[sorted.count - 1]
    }
  }

  public var pairs: Int
  public var images: Int
  public var captionsPerImage: Summary?
  /// Words separated by white space.
  public var captionWords: Summary?
  /// Nil where no way of counting tokens was given.
  public var captionTokens: Summary?
  /// How many captions occur word for word at an earlier place.
  public var duplicateCaptions: Int
  /// Pixels, as the pictures stand upright.
  public var imageWidths: Summary?
  public var imageHeights: Summary?
  /// How many readable images there are of each format.
  public var formats: [ImageFormat: Int]
  /// How many images cannot be read.
  public var badImages: Int
  /// The first of them, in the order of the data set.
  public var firstBadImages: [SkippedSample]

  /// Reads every caption and decodes every image, on several threads.
  ///
  /// - Parameters:
  ///   - listedBadImages: How many unreadable images are named.
  ///   - tokenCount: The number of tokens of a caption, where that is wanted.
  public init(
    _ dataset: CaptionDataset, decoder: ImageDecoder = ImageDecoder(), listedBadImages: Int = 20,
    tokenCount: ((String) -> Int)? = nil
  ) {
    var perImage: [Int] = []
    var words: [Int] = []
    var tokens: [Int] = []
    var distinct: Set<String> = []
    for image in 0..<dataset.imageCount {
      let captions = dataset.record(at: image).captions
      perImage.append(captions.count)
      for caption in captions {
        words.append(caption.split(whereSeparator: \.isWhitespace).count)
        if let tokenCount { tokens.append(tokenCount(caption)) }
        distinct.insert(caption)
      }
    }
    let findings = ImageFinding.all(in: dataset, decoder: decoder)
    let bad = findings.enumerated().filter { $0.element.problem != nil }
    images = dataset.imageCount
    pairs = dataset.pairCount
    captionsPerImage = Summary(perImage)
    captionWords = Summary(words)
    captionTokens = Summary(tokens)
    duplicateCaptions = words.count - distinct.count
    imageWidths = Summary(findings.compactMap(\.size?.width))
    imageHeights = Summary(findings.compactMap(\.size?.height))
    formats = Dictionary(findings.compactMap(\.format).map { ($0, 1) }, uniquingKeysWith: +)
    badImages = bad.count
    firstBadImages = bad.prefix(listedBadImages).map { image, finding in
      SkippedSample(
        path: dataset.record(at: image).imagePath, reason: finding.problem ?? "")
    }
  }
}

/// What one image turned out to be.
private struct ImageFinding: Sendable {
  var format: ImageFormat?
  var size: ImageSize?
  /// Why it cannot be read.
  var problem: String?

  init(_ path: String, decoder: ImageDecoder) {
    do {
      let bytes = try ImageDecoder.contents(of: path, limit: decoder.maximumFileSize)
      let header = try decoder.size(of: bytes)
      _ = try decoder.decode(bytes: bytes)
      (format, size) = (header.format, header.size)
    } catch let error as ImageError {
      problem = "\(error.reason)"
    } catch {
      problem = "\(error)"
    }
  }

  private init() {}

  static func all(in dataset: CaptionDataset, decoder: ImageDecoder) -> [ImageFinding] {
    var findings = [ImageFinding](repeating: ImageFinding(), count: dataset.imageCount)
    findings.withUnsafeMutableBufferPointer { findings in
      // Each iteration writes an element of its own.
      nonisolated(unsafe) let findings = findings
      DispatchQueue.concurrentPerform(iterations: findings.count) { image in
        let path = dataset.record(at: image).imagePath
        findings[image] = ImageFinding(path, decoder: decoder)
      }
    }
    return findings
  }
}
