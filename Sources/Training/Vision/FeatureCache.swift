import Crypto
import Datasets
import Foundation
import Tensors
import WeightFiles

/// Frozen features of whole data sets, computed once and kept in files.
///
/// A file's name is a digest of what decides its content: the encoder, the images (their listed paths
/// and sizes, not their pixels), the transforms and the version of the computation. What changed finds no file.
final class FeatureCache {
  private let configuration: VisionConfiguration
  private let tower: VisionTower
  private var opened: [String: FeatureStore] = [:]
  /// Fingerprints of data sets, taken once: a file that changes in the middle of a run must not
  /// set off a new computation.
  private var imageFingerprints: [ObjectIdentifier: String] = [:]
  /// Is told what a person should know.
  var report: (String) -> Void = { _ in }

  init(_ configuration: VisionConfiguration, tower: VisionTower) {
    self.configuration = configuration
    self.tower = tower
  }

  /// What a file of features is made from.
  struct Request {
    var dataset: any CaptionSource
    var decoder: ImageDecoder
    /// How the pictures of each view are made, the plain one first; one transform for all pictures or
    /// one for each source.
    var views: [[ImageTransform]]
    var workers: Int
    var maximumBadShare: Double
  }

  /// The features of a data set, from a file or computed now.
  /// - Throws: ``Interrupted`` where a signal asked for an end, `DatasetError`, `WeightFileError`.
  func store(for request: Request) throws -> FeatureStore {
    let stamp = try stamp(of: request)
    let name = SHA256.hash(data: Data(stamp.utf8)).prefix(8)
      .map { String(format: "%02x", $0) }.joined()
    if let store = opened[name] { return store }
    let folder = URL(fileURLWithPath: configuration.cacheFolder, isDirectory: true)
    let url = folder.appendingPathComponent("\(name).safetensors")
    let shape = [
      request.views.count, request.dataset.imageCount, tower.tokenCount, tower.encoder.width,
    ]
    if let store = existing(url, stamp, shape) {
      let absent =
        store.absentCount == 0
        ? ""
        : "; \(store.absentCount) pictures could not be read when it was made, delete it to try again"
      report("features: read from \(url.path)\(absent)")
      opened[name] = store
      return store
    }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw RunError.cannotWrite(file: folder.path, reason: error.localizedDescription)
    }
    removeLeftovers(of: url)
    try checkRoom(in: folder, for: shape)
    try make(url, stamp, shape, request)
    guard let store = try FeatureStore(url, stamp: stamp, shape: shape) else {
      throw RunError.cannotWrite(file: url.path, reason: "it does not read back as it was written")
    }
    opened[name] = store
    return store
  }

  /// Removes what earlier processes left when they were killed while they wrote this file. One that is
  /// being written now is younger than an hour at any time.
  private func removeLeftovers(of url: URL) {
    let folder = url.deletingLastPathComponent()
    let keys: Set<URLResourceKey> = [.contentModificationDateKey]
    let files =
      (try? FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: Array(keys))) ?? []
    for file in files {
      let name = file.lastPathComponent
      guard name.hasPrefix(".\(url.lastPathComponent)."), name.hasSuffix(".tmp"),
        let date = try? file.resourceValues(forKeys: keys).contentModificationDate,
        date.timeIntervalSinceNow < -3600
      else { continue }
      try? FileManager.default.removeItem(at: file)
    }
  }

  /// - Throws: `RunError.cannotWrite` where the disk has no room for the features.
  private func checkRoom(in folder: URL, for shape: [Int]) throws {
    let size = shape.reduce(2, *)
    let gigabytes = String(format: "%.1f GB", Double(size) / 1e9)
    let values = try? folder.resourceValues(forKeys: [.volumeAvailableCapacityKey])
    if let available = values?.volumeAvailableCapacity, available < size {
      throw RunError.cannotWrite(
        file: folder.path,
        reason: String(
          format: "the features take \(gigabytes), and %.1f GB are free; name another folder by "
            + "vision.cacheFolder, or fewer vision.cachedViews", Double(available) / 1e9))
    }
    report("features: \(shape[0] * shape[1]) pictures, \(gigabytes), once for all runs")
  }

  private func existing(_ url: URL, _ stamp: String, _ shape: [Int]) -> FeatureStore? {
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    do {
      if let store = try FeatureStore(url, stamp: stamp, shape: shape) { return store }
      report("features: \(url.path) holds something else and is made again")
    } catch {
      report("features: made again, because of a damaged file: \(error.localizedDescription)")
    }
    return nil
  }

  /// All that decides the content, as JSON.
  private func stamp(of request: Request) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let stamp = Stamp(
      encoder: tower.fingerprint ?? "", layer: tower.output.layer,
      finalNorm: tower.output.appliesFinalNorm, images: imageFingerprint(of: request.dataset),
      decoding: request.decoder.options, maximumPixelCount: request.decoder.maximumPixelCount,
      views: request.views,
      precision: tower.precision == .float32 ? nil : tower.precision)
    return String(decoding: try encoder.encode(stamp), as: UTF8.self)
  }

  private func imageFingerprint(of dataset: any CaptionSource) -> String {
    let identifier = ObjectIdentifier(dataset)
    if let known = imageFingerprints[identifier] { return known }
    let fingerprint = dataset.imageFingerprint()
    imageFingerprints[identifier] = fingerprint
    return fingerprint
  }

  private struct Stamp: Encodable {
    /// To be raised with every change of what is computed: decoding, transforms, encoders.
    var version = 1
    let encoder: String
    let layer: Int?
    let finalNorm: Bool
    let images: String
    let decoding: ImageDecoding
    let maximumPixelCount: Int
    let views: [[ImageTransform]]
    /// Nil, and absent, for float32.
    let precision: ProductPrecision?
  }

  // MARK: Computing

  /// The pictures that go through the encoder at once.
  private static let batchSize = 16

  private func make(_ url: URL, _ stamp: String, _ shape: [Int], _ request: Request) throws {
    // In how many views each picture could be read.
    var readCounts = [Int](repeating: 0, count: shape[1])
    var progress = Progress(total: shape[0] * shape[1])
    try SafetensorsWriter.write(
      [
        .init(FeatureStore.features, .bfloat16, shape: shape),
        .init(FeatureStore.present, .uint8, shape: [shape[1]]),
      ], metadata: [FeatureStore.stamp: stamp], to: url
    ) { append in
      for view in request.views.indices {
        try compute(view, request, &readCounts, &progress, append)
      }
      let isPresent = readCounts.map { UInt8($0 == shape[0] ? 1 : 0) }
      try isPresent.withUnsafeBytes { try append($0) }
    }
    report("features: computed once and kept in \(url.path)")
  }

  private func compute(
    _ view: Int, _ request: Request, _ readCounts: inout [Int], _ progress: inout Progress,
    _ append: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let images = ImagesOnce(request.dataset)
    let rowLength = tower.tokenCount * tower.encoder.width
    let loader = try BatchLoader(
      source: images,
      content: PictureContent(decoder: request.decoder, transforms: request.views[view]),
      options: BatchLoaderOptions(
        // The same views for runs of any seed.
        pass: .evaluation, batchSize: FeatureCache.batchSize, seed: 0,
        workerCount: request.workers, maximumBadShare: request.maximumBadShare),
      // Each view is drawn as an epoch of its own.
      startingAt: LoaderPosition(epoch: view))
    defer { loader.stop() }
    var next = 0
    func skip(to image: Int) throws {
      let zeros = [UInt16](repeating: 0, count: rowLength)
      while next < image {
        try zeros.withUnsafeBytes { try append($0) }
        next += 1
      }
    }
    while let batch = try loader.next() {
      if let signal = StopRequest.signal { throw Interrupted(signal: signal) }
      for skipped in batch.skipped { report("  skipped \(skipped.path): \(skipped.reason)") }
      let rows = bfloat16(tower.features(batch.pixelTensor(side: tower.imageSize)).value)
      for (offset, sample) in batch.samples.enumerated() {
        try skip(to: sample.image)
        try rows[(offset * rowLength)..<((offset + 1) * rowLength)].withUnsafeBytes(append)
        readCounts[sample.image] += 1
        next += 1
      }
      if let line = progress.line(after: batch.samples.count) { report(line) }
    }
    for skipped in loader.skipped { report("  skipped \(skipped.path): \(skipped.reason)") }
    try skip(to: images.count)
  }

  /// Rounded to nearest, ties to even.
  private func bfloat16(_ tensor: Tensor) -> [UInt16] {
    tensor.read { values in
      (0..<tensor.count).map { index in
        let bits = values[index].bitPattern
        return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
      }
    }
  }
}

/// A line about the pictures done, every few seconds.
private struct Progress {
  let total: Int
  private var done = 0
  private let start = ContinuousClock.now
  private var lastLine = ContinuousClock.now

  init(total: Int) { self.total = total }

  mutating func line(after count: Int) -> String? {
    done += count
    let now = ContinuousClock.now
    guard (now - lastLine).inSeconds >= 10 else { return nil }
    lastLine = now
    let rate = Double(done) / (now - start).inSeconds
    let left = ProgressReporter.duration(Double(total - done) / rate)
    return String(
      format: "features: \(done) of \(total) pictures, %.1f a second, \(left) left", rate)
  }
}

/// A signal asked for an end before there was anything to save.
public struct Interrupted: Error {
  public let signal: Int32
}
