import Files

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
  /// How many captions say left or right, which a mirrored image makes wrong.
  public var sidedCaptions: Int
  /// Pixels, as the images stand upright.
  public var imageWidths: Summary?
  public var imageHeights: Summary?
  /// How many readable images there are of each format.
  public var formats: [ImageFormat: Int]
  /// How many images cannot be read.
  public var badImages: Int
  /// The first of them, in the order of the data set.
  public var firstBadImages: [SkippedSample]

  /// What the source noticed when it was opened, and what reading all of it showed.
  public var findings: [SourceFinding]

  let source: any CaptionSource
  /// 64 bits of the digest of each image's bytes; nil for those that cannot be read.
  let digests: [UInt64?]

  /// Reads every caption and decodes every image, on several threads.
  ///
  /// - Parameters:
  ///   - listedBadImages: How many unreadable images are named.
  ///   - tokens: What a tokenizer makes of a caption, where that is wanted.
  ///   - onProgress: Is told now and then how many images were looked at.
  /// - Throws: `DatasetError.systemFailure`, since what it keeps from being read is not known then.
  public init(
    _ source: any CaptionSource, decoder: ImageDecoder = ImageDecoder(), listedBadImages: Int = 20,
    tokens: ((String) -> CaptionTokens)? = nil, onProgress: (Int) -> Void = { _ in }
  ) throws {
    var captions = CaptionCounts(read: tokens)
    var repeats = RepeatedPairs(of: source)
    var digests: [UInt64?] = []
    var sizes: [ImageSize] = []
    (formats, badImages, firstBadImages) = ([:], 0, [])
    for start in stride(from: 0, to: source.imageCount, by: ImageFinding.portion) {
      let portion = start..<min(source.imageCount, start + ImageFinding.portion)
      let found = try portion.concurrentMap { try ImageFinding($0, of: source, decoder: decoder) }
      for (image, finding) in zip(portion, found) {
        captions.add(finding)
        digests.append(finding.digest)
        if let digest = finding.digest { repeats.add(image, digest, finding.captions) }
        if let format = finding.format { formats[format, default: 0] += 1 }
        if let size = finding.size { sizes.append(size) }
        if let problem = finding.problem {
          badImages += 1
          if firstBadImages.count < listedBadImages { firstBadImages.append(problem) }
        }
      }
      onProgress(portion.upperBound)
    }
    (self.source, self.digests) = (source, digests)
    images = source.imageCount
    pairs = captions.words.count
    captionsPerImage = Summary(captions.perImage)
    captionWords = Summary(captions.words)
    captionTokens = Summary(captions.tokens)
    duplicateCaptions = captions.words.count - captions.distinct.count
    sidedCaptions = captions.sided
    imageWidths = Summary(sizes.map(\.width))
    imageHeights = Summary(sizes.map(\.height))
    findings = source.findings + captions.tally.findings + repeats.findings
  }

  /// Whether one of the words is left or right.
  static func saysSide(_ caption: String) -> Bool {
    caption.lowercased().split { !$0.isLetter }.contains { $0 == "left" || $0 == "right" }
  }
}

/// What is counted of the captions of a source.
private struct CaptionCounts {
  /// What a tokenizer makes of a caption, where that is wanted.
  let read: ((String) -> CaptionTokens)?
  private(set) var perImage: [Int] = []
  private(set) var words: [Int] = []
  private(set) var tokens: [Int] = []
  private(set) var sided = 0
  private(set) var tally = CaptionTally()
  /// Hash values of 64 bits: two captions of a few million share one about never.
  private(set) var distinct: Set<Int> = []

  init(read: ((String) -> CaptionTokens)?) { self.read = read }

  mutating func add(_ finding: ImageFinding) {
    if !finding.captions.isEmpty { perImage.append(finding.captions.count) }
    for caption in finding.captions {
      words.append(caption.split(whereSeparator: \.isWhitespace).count)
      if DatasetReport.saysSide(caption) { sided += 1 }
      if let tokens = read?(caption) {
        self.tokens.append(tokens.count)
        tally.add(caption, of: finding.path, tokens)
      }
      distinct.insert(caption.hashValue)
    }
  }
}

/// What one image and its captions turned out to be.
private struct ImageFinding: Sendable {
  /// Images that are looked at together, so that few captions are in memory at a time.
  static let portion = 256

  private(set) var path = ""
  private(set) var captions: [String] = []
  private(set) var format: ImageFormat?
  private(set) var size: ImageSize?
  /// 64 bits of the digest of its bytes.
  private(set) var digest: UInt64?
  /// Why it cannot be used.
  private(set) var problem: SkippedSample?

  /// - Throws: `DatasetError.systemFailure`, where nobody can say whether it can be used.
  init(_ image: Int, of source: any CaptionSource, decoder: ImageDecoder) throws {
    path = "image \(image)"
    do {
      let record = try source.record(at: image)
      path = record.imagePath
      captions = record.captions
      let bytes = try source.imageBytes(ofImage: image, limit: decoder.maximumFileSize)
      (format, size) = (try decoder.size(of: bytes).format, try decoder.decode(bytes: bytes).size)
      digest = SHA256.number(of: bytes)
    } catch {
      problem = try SkippedSample(at: path, error)
    }
  }
}
