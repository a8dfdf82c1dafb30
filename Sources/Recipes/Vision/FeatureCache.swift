import Datasets
import Files
import Foundation
import Reporting
import Tensors
import Training
import WeightFiles

/// Frozen features of whole data sets, computed once and kept in files.
///
/// A file's name is a digest of what decides its content: the encoder, the images (their listed paths
/// and sizes, not their pixels), the transforms and the version of the computation. What changed finds no file.
final class FeatureCache {
  private let tower: VisionTower
  private let folder: URL
  private var opened: [String: FeatureStore] = [:]
  /// Fingerprints of data sets, taken once: a file that changes in the middle of a run must not
  /// set off a new computation.
  private var imageFingerprints: [ObjectIdentifier: String] = [:]
  /// Is told what a person should know.
  var report: (String) -> Void = { _ in }
  /// Whether a file that is there is read to its end before it is taken.
  var readsWholeFiles = false
  /// Whether features that are not kept yet are computed; a dry run does without.
  var makesMissing = true

  init(_ configuration: VisionConfiguration, tower: VisionTower) {
    folder = URL(fileURLWithPath: configuration.cacheFolder, isDirectory: true)
    self.tower = tower
  }

  /// What a file of features is made from.
  struct Request {
    var dataset: any CaptionSource
    var decoder: ImageDecoder
    /// How the images of each view are made, the plain one first; one transform for all images or
    /// one for each source.
    var views: [[ImageTransform]]
    var workers: Int
    var maximumBadShare: Double
  }

  /// The features of a data set, from a file or computed now; nil where neither is to be.
  /// - Throws: ``Interrupted`` where a signal asked for an end, `DatasetError`, `WeightFileError`,
  ///   `RunError`.
  func store(for request: Request) throws -> FeatureStore? {
    let stamp = try FeatureStamp(
      tower, images: imageFingerprint(of: request.dataset), decoder: request.decoder,
      views: request.views
    ).text()
    let name = FeatureStamp.fileName(of: stamp)
    if let store = opened[name] { return store }
    let url = folder.appendingPathComponent(name)
    let layout = FeatureLayout(
      views: request.views.count, images: request.dataset.imageCount, tokens: tower.tokenCount,
      width: tower.encoder.width)
    let found = inode(of: url)
    var store = try existing(url, stamp, layout)
    if store == nil {
      guard makesMissing else {
        report(
          "features: not computed in a dry run: images are encoded in the step, which is slower")
        return nil
      }
      store = try make(url, stamp, layout, request, inPlaceOf: found)
    }
    opened[name] = store
    return store
  }

  private func imageFingerprint(of dataset: any CaptionSource) -> String {
    let identifier = ObjectIdentifier(dataset)
    if let known = imageFingerprints[identifier] { return known }
    let fingerprint = dataset.imageFingerprint()
    imageFingerprints[identifier] = fingerprint
    return fingerprint
  }

  // MARK: What is there

  private func existing(
    _ url: URL, _ stamp: String, _ layout: FeatureLayout
  ) throws -> FeatureStore? {
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    let found: FeatureStore?
    do {
      found = try FeatureStore(url, stamp: stamp, layout: layout)
    } catch {
      report("features: made again, because of a damaged file: \(error.localizedDescription)")
      return nil
    }
    guard let store = found else {
      report("features: \(url.path) holds something else and is made again")
      return nil
    }
    if readsWholeFiles {
      report("features: verifying the checksums of \(url.path) (\(bytes(byteCount(layout))))")
      if let row = try store.firstDamagedRow() {
        report(
          "features: made again, because of a damaged file: \(url.path), image "
            + "\(row % layout.images + 1) in view \(row / layout.images + 1)")
        return nil
      }
    }
    let absent =
      store.absentCount == 0
      ? ""
      : "; \(Quantity.of(store.absentCount, "image")) could not be read when it was made, "
        + "delete it to try again"
    report("features: read from \(url.path)\(absent)")
    return store
  }

  private func inode(of url: URL) -> ino_t? {
    var status = stat()
    return stat(url.path, &status) == 0 ? status.st_ino : nil
  }

  /// Says what else lies in the folder: why it is not taken, what fills the disk.
  private func reportOthers(than stamp: String) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let own = FeatureStamp.fileName(of: stamp)
    for name in names.sorted() where !name.hasPrefix(own) && opened[name] == nil {
      let url = folder.appendingPathComponent(name)
      if url.pathExtension == ResumableFile.pathExtension {
        report(
          "  note: \(url.path) was begun with another encoder, other images or another transform, "
            + "and not finished: delete it if that is not wanted any more")
      } else if url.pathExtension == "safetensors",
        let other = try? SafetensorsFile(url).metadata[FeatureLayout.stamp],
        let differences = FeatureStamp.differences(stamp, other)
      {
        report("  note: \(url.path) is not taken: other \(differences.joined(separator: ", "))")
      }
    }
  }

  // MARK: Making

  private func make(
    _ url: URL, _ stamp: String, _ layout: FeatureLayout, _ request: Request,
    inPlaceOf found: ino_t?
  ) throws -> FeatureStore {
    try FileSystem.createFolder(folder.path)
    let part = try lock(url)
    // Another process may have made it in the meantime.
    if inode(of: url) != found, let store = try existing(url, stamp, layout) {
      part.remove()
      return store
    }
    reportOthers(than: stamp)
    let size = try checkRoom(for: layout, besides: part)
    let writer = try FeatureWriter(part, layout: layout, stamp: stamp, report: report)
    report(
      "features: \(Quantity.of(layout.rowCount, "image")), \(size), once for all runs"
        + (writer.rowCount > 0
          ? "; \(Quantity.count(writer.rowCount)) of them computed before" : ""))
    try FeatureMaking(tower: tower, request: request, report: report).fill(writer)
    try writer.finish()
    guard let store = try FeatureStore(url, stamp: stamp, layout: layout) else {
      throw RunError.cannotWrite(file: url.path, reason: "it does not read back as it was written")
    }
    report("features: kept in \(url.path)")
    return store
  }

  /// Waits until no other process makes the file.
  private func lock(_ url: URL) throws -> ResumableFile {
    var isWaiting = false
    while true {
      if let file = try ResumableFile.locked(for: url.path) { return file }
      if !isWaiting { report("features: another process makes \(url.path): waiting for it") }
      isWaiting = true
      usleep(100_000)
      try StopRequest.check()
    }
  }

  /// - Returns: The size in words.
  /// - Throws: `RunError.cannotWrite` where the disk has no room for what is missing.
  private func checkRoom(for layout: FeatureLayout, besides part: ResumableFile) throws -> String {
    let size = byteCount(layout)
    let missing = size - Double(try part.allocatedByteCount())
    let values = try? folder.resourceValues(forKeys: [.volumeAvailableCapacityKey])
    let available = values?.volumeAvailableCapacity.map(Double.init) ?? 1e18
    guard missing < available else {
      throw RunError.cannotWrite(
        file: folder.path,
        reason: "the features take \(bytes(size)), and \(bytes(available)) are free; name another "
          + "folder by vision.cacheFolder, or fewer vision.views")
    }
    return bytes(size)
  }

  /// As a floating-point number, since a recipe may ask for more than the largest integer.
  private func byteCount(_ layout: FeatureLayout) -> Double {
    Double(layout.rowCount) * Double(layout.rowByteCount)
  }

  private func bytes(_ count: Double) -> String { Quantity.bytes(Int(min(count, 0x1p62))) }
}
