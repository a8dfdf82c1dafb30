import Foundation

@testable import Datasets

/// A source in memory: small images that differ, some broken.
final class MemoryCaptions: CaptionSource {
  let records: [CaptionRecord]
  let files: [[UInt8]]

  /// - Parameters:
  ///   - captions: The captions of an image by its number.
  ///   - givenId: The `image_id` of an image by its number.
  init(
    count: Int, broken: Set<Int> = [], captions: (Int) -> [String] = { ["caption \($0)"] },
    givenId: (Int) -> String? = { _ in nil }
  ) {
    records = (0..<count).map { image in
      CaptionRecord(
        imagePath: "\(image).png", listedPath: "\(image).png", captions: captions(image),
        imageId: Int64(image), givenId: givenId(image))
    }
    files = (0..<count).map { image in
      let file = PNGMaker.file(noise(width: 3, height: 2, seed: UInt64(image)))
      return broken.contains(image) ? Array(file.prefix(60)) : file
    }
  }

  var count: Int { files.count }
  var imageCount: Int { files.count }
  var pairCount: Int? { records.reduce(0) { $0 + $1.captions.count } }

  func record(at image: Int) -> CaptionRecord { records[image] }

  func sample(at index: Int, seed: UInt64, epoch: Int) -> CaptionSample {
    CaptionSample(
      index: index, image: index, imageId: records[index].imageId,
      caption: "\(records[index].captions[0]) in \(epoch)", path: records[index].imagePath)
  }

  func imageBytes(ofImage image: Int, limit: Int) -> [UInt8] { files[image] }
  func fingerprint() -> String { records.map { "\($0)" }.joined() }
  func imageFingerprint() -> String { files.map { "\($0)" }.joined() }
}

extension URL {
  /// The source's shards, packed into a folder of this one.
  func packing(_ source: any CaptionSource, as name: String, shardSize: Int) throws -> [String] {
    let folder = appendingPathComponent(name)
    let outcome = try ShardPacker(shardSize: shardSize).pack(source, into: folder) { _ in }
    return (0..<outcome.shards).map {
      folder.appendingPathComponent(String(format: "shard-%06d.tar", $0)).path
    }
  }
}

extension BatchLoader {
  /// The next batches.
  func batches(_ count: Int) throws -> [Batch] {
    try (0..<count).map { _ in
      guard let batch = try next() else { throw Ended() }
      return batch
    }
  }

  struct Ended: Error {}
}

extension CaptionDataset {
  /// The data set at a URL, as most tests have it.
  convenience init(
    _ location: URL, imageFolder: URL? = nil, captions captionPolicy: CaptionPolicy = .draw
  ) throws {
    try self.init(
      path: location.path, imageFolder: imageFolder?.path, captions: captionPolicy)
  }
}
