import Files
import Foundation
import Tensors

/// Pairs of images and captions in tar archives, as WebDataset keeps them: `a.jpg` with `a.txt` or
/// `a.json` or both.
///
/// On opening, the headers of all shards are walked through once; texts and images are read when
/// they are wanted, so that memory holds a few dozen bytes for each sample.
public final class ShardSource: CaptionSource {
  /// Among how many samples an epoch shuffles, where nothing else is said.
  public static let defaultShuffleWindow = 8192

  public let captionPolicy: CaptionPolicy
  public let shuffleWindow: Int
  public let findings: [SourceFinding]
  private let paths: [String]
  private let indices: [ShardIndex]
  private let files: ShardFiles
  /// Where each shard's images begin, `[shards + 1]`.
  private let firstImages: [Int]
  /// Where each image's samples begin, `[images + 1]`; empty where each has one.
  private let firstSamples: [UInt32]

  /// - Parameters:
  ///   - paths: The shards.
  ///   - shuffleWindow: Among how many samples an epoch shuffles.
  ///   - toleratesDamage: Whether a shard is taken up to where it is damaged; for checks.
  /// - Throws: ``DatasetError``.
  public init(
    paths: [String], captions captionPolicy: CaptionPolicy = .draw,
    shuffleWindow: Int = defaultShuffleWindow, toleratesDamage: Bool = false
  ) throws {
    precondition(!paths.isEmpty, "a source needs at least one shard")
    self.captionPolicy = captionPolicy
    self.shuffleWindow = shuffleWindow
    self.paths = paths
    indices = try Self.walk(paths, toleratesDamage: toleratesDamage)
    files = ShardFiles(paths: paths, sizes: indices.map(\.size))
    firstImages = indices.map(\.files.count).starts
    findings = Self.findings(indices)
    let imageCount = firstImages[firstImages.count - 1]
    guard imageCount > 0 || toleratesDamage else {
      throw DatasetError.noSamples(file: paths[0], findings)
    }
    try DatasetError.checkSampleCount(imageCount)
    firstSamples = captionPolicy == .draw ? [] : try Self.countCaptions(indices, files)
  }

  public var count: Int { firstSamples.last.map { Int($0) } ?? imageCount }
  public var imageCount: Int { firstImages[firstImages.count - 1] }
  public var pairCount: Int? { firstSamples.last.map { Int($0) } }

  public func sample(at number: Int, seed: UInt64, epoch: Int) throws -> CaptionSample {
    let image = firstSamples.isEmpty ? number : firstSamples.rangeIndex(of: UInt32(number))
    let record = try record(at: image)
    let count = record.captions.count
    let caption =
      firstSamples.isEmpty
      ? RandomStream.caption(of: count, sample: number, seed: seed, epoch: epoch)
      : number - Int(firstSamples[image])
    guard caption < count else {
      throw SkippedSample(path: record.imagePath, reason: "has fewer captions than when counted")
    }
    return CaptionSample(
      index: number, image: image, imageId: record.imageId, caption: record.captions[caption],
      path: record.imagePath)
  }

  public func record(at image: Int) throws -> CaptionRecord {
    let (shard, number) = place(ofImage: image)
    let key = indices[shard].keys.name(at: number)
    let path = "\(paths[shard]):\(key)"
    do {
      let text = try files.text(of: indices[shard].files[number], ofShard: shard)
      return CaptionRecord(
        imagePath: path, listedPath: key, captions: text.captions,
        imageId: text.imageId.map(Self.number(ofId:)) ?? Int64(image), givenId: text.imageId)
    } catch let problem as Problem {
      throw SkippedSample(path: path, reason: problem.text)
    } catch let error as ImageError {
      throw SkippedSample(path: path, reason: "its text \(error.reason)")
    }
  }

  public func imageBytes(ofImage image: Int, limit: Int) throws -> [UInt8] {
    let (shard, number) = place(ofImage: image)
    guard let extent = indices[shard].files[number].image else {
      preconditionFailure("samples without an image are not in the index")
    }
    return try files.bytes(extent, ofShard: shard, limit: limit)
  }

  public func order(seed: UInt64, epoch: Int) -> SampleOrder {
    let counts = firstImages.dropLast().indices.map { shard in
      firstSample(ofImage: firstImages[shard + 1]) - firstSample(ofImage: firstImages[shard])
    }
    return ShardOrder.order(counts: counts, window: shuffleWindow, seed: seed, epoch: epoch)
  }

  /// The names of the shards, and where their files lie and how long they are. A caption that was
  /// changed and kept its length is not noticed, at the price of not reading all of them.
  public func fingerprint() -> String {
    "\(captionPolicy.rawValue):shards(\(shuffleWindow)):\(digest())"
  }

  /// Captions lie in the same shards, so that a change of their length changes it as well.
  public func imageFingerprint() -> String { "shards:\(digest())" }

  private func digest() -> String {
    var hash = SHA256()
    for (shard, index) in indices.enumerated() {
      let name = FileName.bytes(FilePath.name(of: paths[shard]))
      hash.update("\(name.count):")
      hash.update(name)
      hash.update("\(index.size);")
      index.update(&hash)
    }
    return hash.finalize().hexadecimal
  }

  /// Ids are texts or numbers of any kind: 62 bits of their digest stand for them, above all numbers
  /// that images have by themselves.
  private static func number(ofId id: String) -> Int64 {
    Int64(SHA256.number(of: id.utf8) >> 2 | 1 << 62)
  }

  private func firstSample(ofImage image: Int) -> Int {
    firstSamples.isEmpty ? image : Int(firstSamples[image])
  }

  private func place(ofImage image: Int) -> (shard: Int, number: Int) {
    let shard = firstImages.rangeIndex(of: image)
    return (shard, image - firstImages[shard])
  }
}

// MARK: Opening

extension ShardSource {
  private static func walk(_ paths: [String], toleratesDamage: Bool) throws -> [ShardIndex] {
    // Apart from those that samples are read from: how it reads would stay with the open file.
    let files = CachedFiles(paths)
    return try paths.indices.concurrentMap { shard in
      try DatasetError.reading {
        try files.read(shard) { try ShardIndex($0, toleratesDamage: toleratesDamage) }
      }
    }
  }

  private static func findings(_ indices: [ShardIndex]) -> [SourceFinding] {
    let kinds: [KeyPath<ShardIndex, SourceFinding>] = [
      \.ignored, \.withoutImage, \.withoutText, \.damage,
    ]
    let found = kinds.map { kind in
      indices.dropFirst().reduce(into: indices[0][keyPath: kind]) { $0.add($1[keyPath: kind]) }
    }
    return [SourceFinding(.shards, count: indices.count)] + found.filter { $0.count > 0 }
  }

  /// Where each image's samples begin. What cannot be read counts as one, which is passed over when
  /// its turn comes.
  /// - Throws: `DatasetError.tooManySamples`, `.systemFailure`.
  private static func countCaptions(
    _ indices: [ShardIndex], _ files: ShardFiles
  ) throws -> [UInt32] {
    let counts = try indices.indices.concurrentMap { shard in
      try indices[shard].files.map { sample in
        guard sample.json != nil else { return 1 }
        do {
          return try files.text(of: sample, ofShard: shard).captions.count
        } catch let error as DatasetError where error.isSystemFailure {
          throw error
        } catch {
          return 1
        }
      }
    }
    try DatasetError.checkSampleCount(counts.joined().reduce(0, +))
    let starts = counts.joined().starts
    return starts.map { UInt32($0) }
  }
}
