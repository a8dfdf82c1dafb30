import Datasets
import Foundation
import Reporting
import Tensors
import Training

/// Computes the features of a data set's images, from the first that is not kept yet.
struct FeatureMaking {
  let tower: VisionTower
  let request: FeatureCache.Request
  let report: (String) -> Void

  /// The images that go through the encoder at once.
  private static let batchSize = 16

  /// Writes all rows that are missing. Whatever ends it early, the rows so far are kept.
  /// - Throws: ``Interrupted`` where a signal asked for an end, `DatasetError`, `RunError`.
  func fill(_ writer: FeatureWriter) throws {
    let images = max(1, request.dataset.imageCount)
    guard writer.rowCount < request.views.count * images else { return }
    let (total, before) = (request.views.count * images, writer.rowCount)
    let start = ContinuousClock.now
    let progress = WorkProgress(total, "images", done: before)
    defer { progress.finish() }
    var keeping = KeepingTimes()
    do {
      for view in (before / images)..<request.views.count {
        try compute(view, into: writer, progress, &keeping)
      }
    } catch {
      // What went wrong is more worth saying than that nothing can be kept of it.
      try? writer.keep()
      throw error
    }
    let seconds = (ContinuousClock.now - start).inSeconds
    report(
      String(
        format: "features: \(Quantity.of(total - before, "image")) computed in %.1f s, ", seconds)
        + Quantity.rate(Double(total - before) / max(seconds, 1e-3)) + "/s")
  }

  private func compute(
    _ view: Int, into writer: FeatureWriter, _ progress: WorkProgress,
    _ keeping: inout KeepingTimes
  ) throws {
    let images = ImagesOnce(request.dataset)
    let start = view * images.count
    let loader = try BatchLoader(
      source: images,
      content: ImageContent(decoder: request.decoder, transforms: request.views[view]),
      options: BatchLoaderOptions(
        // The same views for runs of any seed.
        pass: .evaluation, batchSize: FeatureMaking.batchSize, seed: 0,
        workerCount: request.workers, maximumBadShare: request.maximumBadShare),
      // Each view is drawn as an epoch of its own. What is kept ends with a batch, so that the batches
      // that follow are those of a process that was not interrupted.
      startingAt: LoaderPosition(epoch: view, position: writer.rowCount - start))
    defer { loader.stop() }
    while let batch = try loader.next() {
      for skipped in batch.skipped { report("  skipped \(skipped)") }
      try add(batch, from: start, to: writer)
      try StopRequest.check()
      // The first batch at once: a disk that cannot be written shows here.
      if keeping.isTime() { try writer.keep() }
      progress.advance(to: writer.rowCount)
    }
    for skipped in loader.skipped { report("  skipped \(skipped)") }
    try writer.skip(to: start + images.count)
  }

  /// Appends the features of a batch, rounded to bfloat16.
  /// - Parameter start: The row of the view's first image.
  private func add(_ batch: Batch, from start: Int, to writer: FeatureWriter) throws {
    let features = tower.features(batch.content).value
    if features.hasNonFinite {
      throw RecipeModel(vision: tower.encoder).notFinite("the image encoder's features are")
    }
    let rows = features.readMatrix { BFloat16Matrix(rounding: $0) }
    let length = rows.rows * rows.columns / batch.samples.count
    for (offset, sample) in batch.samples.enumerated() {
      try writer.skip(to: start + sample.image)
      try rows.read {
        try writer.append(
          UnsafeRawBufferPointer(
            UnsafeBufferPointer(start: $0.pointer + offset * length, count: length)))
      }
    }
    try writer.skip(to: start + batch.positionAfter.position)
  }
}

/// When what was computed is kept.
private struct KeepingTimes {
  private var last: ContinuousClock.Instant?

  /// Two seconds are what the end of a process may cost.
  mutating func isTime() -> Bool {
    let now = ContinuousClock.now
    if let last, now - last < .seconds(2) { return false }
    last = now
    return true
  }
}
