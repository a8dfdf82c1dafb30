import Files
import Foundation

/// Writes any source as shards, `shard-000000.tar` and so on, that read back as the same records.
///
/// Image bytes stay as they are. A single caption of an image without an id becomes a `.txt`, all
/// else a `.json`. The same source gives the same bytes. The folder appears when all is written.
public struct ShardPacker: Sendable {
  /// The most samples of a shard.
  public var shardSize: Int
  /// The most bytes of a shard, where that matters; one sample alone may be larger.
  public var shardBytes: Int?
  /// Decides what is readable; what is not is left out.
  public var decoder: ImageDecoder

  public init(
    shardSize: Int = 10_000, shardBytes: Int? = nil, decoder: ImageDecoder = ImageDecoder()
  ) {
    precondition(shardSize > 0, "shardSize is \(shardSize); expected at least 1")
    precondition(shardBytes.map { $0 > 0 } ?? true, "shardBytes must be at least 1")
    self.shardSize = shardSize
    self.shardBytes = shardBytes
    self.decoder = decoder
  }

  public struct Outcome: Equatable, Sendable {
    public var shards = 0
    public var images = 0
    public var skipped = 0
  }

  /// Samples that are read at once.
  private static let portion = 16

  /// - Parameters:
  ///   - output: A folder that is not there, or empty.
  ///   - shouldStop: Is asked now and then.
  ///   - onProgress: Is told now and then how many samples were looked at.
  ///   - report: Is told of each sample that is left out.
  /// - Throws: `OutputPath.Refusal`, `SystemFailure`; ``DatasetError``, also where the system failed, so that nobody can say what is readable;
  ///   `CancellationError` where it is to stop. Nothing is left behind then.
  public func pack(
    _ source: any CaptionSource, into output: URL, shouldStop: () -> Bool = { false },
    onProgress: (Int) -> Void = { _ in }, report: (SkippedSample) -> Void
  ) throws -> Outcome {
    let folder = try AtomicFolder(becoming: output.standardizedFileURL.path)
    defer { folder.removeUnlessFinished() }
    var outcome = Outcome()
    var writer: TarWriter?
    var inShard = 0
    for start in stride(from: 0, to: source.imageCount, by: Self.portion) {
      if shouldStop() { throw CancellationError() }
      let images = start..<min(source.imageCount, start + Self.portion)
      for sample in try images.concurrentMap({ try read($0, of: source) }) {
        switch sample {
        case .failure(let skipped):
          outcome.skipped += 1
          report(skipped)
        case .success(let sample):
          if let full = writer, inShard == shardSize || exceeds(full, sample) {
            try full.finish()
            writer = nil
          }
          if writer == nil {
            let name = String(format: "shard-%06d.tar", outcome.shards)
            writer = try TarWriter(creating: "\(folder.path)/\(name)")
            outcome.shards += 1
            inShard = 0
          }
          let key = String(format: "%09d", outcome.images)
          try writer?.add("\(key).\(sample.imageEnding)", sample.image)
          try writer?.add("\(key).\(sample.textEnding)", sample.text)
          outcome.images += 1
          inShard += 1
        }
      }
      onProgress(images.upperBound)
    }
    guard outcome.images > 0 else { throw DatasetError.nothingToPack(skipped: outcome.skipped) }
    try writer?.finish()
    try folder.finish()
    return outcome
  }

  private func exceeds(_ writer: TarWriter, _ sample: PackedSample) -> Bool {
    guard let shardBytes else { return false }
    let more =
      TarHeader.length(withContent: sample.image.count)
      + TarHeader.length(withContent: sample.text.count)
    return writer.byteCount + more + 2 * TarHeader.length > shardBytes
  }

  private func read(
    _ image: Int, of source: any CaptionSource
  ) throws -> Result<PackedSample, SkippedSample> {
    var path = "image \(image)"
    do {
      let record = try source.record(at: image)
      path = record.imagePath
      let bytes = try source.imageBytes(ofImage: image, limit: decoder.maximumFileSize)
      _ = try decoder.decode(bytes: bytes)
      return .success(try PackedSample(record, image: bytes))
    } catch {
      return .failure(try SkippedSample(at: path, error))
    }
  }
}

/// The files of one sample.
private struct PackedSample: Sendable {
  let image: [UInt8]
  let imageEnding: String
  let text: [UInt8]
  let textEnding: String

  init(_ record: CaptionRecord, image: [UInt8]) throws {
    self.image = image
    switch image.withUnsafeBytes({ ImageFormat(sniffing: $0) }) {
    case .jpeg: imageEnding = "jpg"
    case .png: imageEnding = "png"
    case .webP: imageEnding = "webp"
    case nil: preconditionFailure("decoded images have a known format")
    }
    let first = record.captions[0]
    if record.captions.count == 1, record.givenId == nil,
      first == first.trimmingCharacters(in: .whitespacesAndNewlines)
    {
      text = Array(first.utf8)
      textEnding = "txt"
    } else {
      var object: [String: Any] =
        record.captions.count == 1 ? ["caption": first] : ["captions": record.captions]
      object["image_id"] = record.givenId
      text = Array(
        try JSONSerialization.data(
          withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes]))
      textEnding = "json"
    }
    guard text.count <= ShardText.sizeLimit else {
      throw SkippedSample(
        path: record.imagePath,
        reason: "its captions have \(text.count) bytes, more than the limit of "
          + "\(ShardText.sizeLimit)")
    }
  }
}
