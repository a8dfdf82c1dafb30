/// Delivers batches in order, reading and transforming images ahead on threads of its own.
///
/// The batches are a pure function of source, content, pass, batch size, seed and
/// starting position: neither threads nor an interruption change them. Unreadable images are
/// passed over, and the samples that follow fill the batch.
///
/// A loader with a part of each batch (``BatchLoaderOptions/share``) knows nothing of the images of
/// the others, and all parts must stay in step: there a batch is `batchSize` places of the order,
/// whatever is unreadable, and a readable sample of the same part stands in for an unreadable one.
///
/// A loader is used from one thread at a time.
public final class BatchLoader {
  private let options: BatchLoaderOptions
  private let count: Int
  private let valueCount: Int
  private let queue: SampleQueue

  /// The place of the next sample to come out of the queue.
  private var place: LoaderPosition
  private var badSamples: BadSampleCount
  /// Whether the present epoch was begun at its first sample, and no batch has come of it.
  private var isWholeEpochWithoutBatch: Bool
  /// The samples passed over since the last batch. At the end of an evaluation pass, or after an
  /// error, these are in no batch.
  public private(set) var skipped: [SkippedSample] = []
  private var isFinished = false

  /// - Parameter start: Where to begin: the `positionAfter` of the last batch used, or the start.
  /// - Throws: ``DatasetError`` where the source is too small for one batch (in training) or empty,
  ///   or does not have the starting position.
  public init(
    source: any SampleSource, content: any SampleContent, options: BatchLoaderOptions,
    startingAt start: LoaderPosition = LoaderPosition()
  ) throws {
    count = source.count
    guard count >= (options.pass == .training ? options.batchSize : 1) else {
      throw DatasetError.fewerSamplesThanBatch(samples: count, batchSize: options.batchSize)
    }
    guard count <= CaptionIndex.Builder.sampleLimit else {
      throw DatasetError.tooManySamples(limit: CaptionIndex.Builder.sampleLimit)
    }
    guard (0...Int(Int32.max)).contains(start.epoch), (0...count).contains(start.position) else {
      throw DatasetError.noSuchPosition(position: start.position, count: count)
    }
    self.options = options
    valueCount = content.valueCount
    place = start
    isWholeEpochWithoutBatch = start.position == 0
    badSamples = BadSampleCount(share: options.maximumBadShare)
    queue = SampleQueue(
      work: SampleWork(
        source: source, content: content, seed: options.seed),
      options: options, start: start)
  }

  deinit { stop() }

  /// The next batch, or nil at the end of an evaluation pass and after ``stop()``.
  ///
  /// - Throws: ``DatasetError`` where too many samples are unreadable, and what a ``ContentFailure``
  ///   holds; nothing follows then.
  public func next() throws -> Batch? {
    guard !isFinished else { return nil }
    do {
      let batch = try options.share.isWhole ? fillBatch() : fillPart()
      if batch == nil { stop() }
      return batch
    } catch {
      stop()
      throw error
    }
  }

  /// Ends the threads and waits for them. Safe to call again.
  public func stop() {
    isFinished = true
    queue.stop()
  }

  private func fillBatch() throws -> Batch? {
    var samples: [CaptionSample] = []
    let values = try [Float](
      unsafeUninitializedCapacity: options.batchSize * valueCount
    ) { values, written in
      while samples.count < options.batchSize {
        if place.position == count, try !beginNextEpoch(dropping: &samples) { break }
        guard try takeSample(into: &samples, values) else { break }
      }
      written = samples.count * valueCount
    }
    guard !samples.isEmpty else { return nil }
    isWholeEpochWithoutBatch = false
    defer { skipped = [] }
    return Batch(
      samples: samples, values: values, positionAfter: place, skipped: skipped)
  }

  /// This part of the next global batch.
  private func fillPart() throws -> Batch? {
    if count - place.position < options.batchSize {
      place = LoaderPosition(epoch: place.epoch + 1)
      badSamples = BadSampleCount(share: options.maximumBadShare)
    }
    var samples: [CaptionSample] = []
    // The sample that stands at each place of the part; a readable one before an unreadable one,
    // or, at the beginning, the first readable one.
    var standing: [Int] = []
    let start = place.position
    var values = try [Float](
      unsafeUninitializedCapacity: options.shareSize * valueCount
    ) { values, written in
      for _ in 0..<options.shareSize {
        guard try takeSample(into: &samples, values) else { break }
        standing.append(max(0, samples.count - 1))
      }
      written = samples.count * valueCount
    }
    guard standing.count == options.shareSize else { return nil }
    guard !samples.isEmpty else {
      throw DatasetError.unreadablePart(
        places: options.shareSize, lastReasons: badSamples.lastReasons)
    }
    if samples.count < options.shareSize {
      values = standing.flatMap { values[($0 * valueCount)..<(($0 + 1) * valueCount)] }
      samples = standing.map { samples[$0] }
    }
    place.position = start + options.batchSize
    defer { skipped = [] }
    return Batch(
      samples: samples,
      places: (0..<options.shareSize).map { options.share.rank + $0 * options.share.count },
      values: values, positionAfter: place, skipped: skipped)
  }

  /// Moves one sample from the queue to the batch, or to those skipped.
  /// - Returns: False where the queue was stopped.
  private func takeSample(
    into samples: inout [CaptionSample], _ values: UnsafeMutableBufferPointer<Float>
  ) throws -> Bool {
    let taken: Void? = try queue.next { outcome, numbers in
      place.position += 1
      switch outcome {
      case .sample(let sample):
        let start = samples.count * valueCount
        _ = UnsafeMutableBufferPointer(rebasing: values[start..<(start + valueCount)])
          .initialize(from: numbers)
        samples.append(sample)
        badSamples.addReadable()
      case .skipped(let sample):
        skipped.append(sample)
        try badSamples.add(sample)
      case .failed(let error):
        throw error
      }
    }
    return taken != nil
  }

  /// Goes on from the end of an epoch.
  ///
  /// - Parameter samples: What was gathered for a batch that this epoch can no longer fill.
  /// - Returns: False where there is no next epoch.
  private func beginNextEpoch(dropping samples: inout [CaptionSample]) throws -> Bool {
    let isTraining = options.pass == .training
    // Going on would repeat the same for ever. In evaluation a smaller batch is one, none is not.
    if isWholeEpochWithoutBatch, isTraining || samples.isEmpty {
      throw DatasetError.epochWithoutBatch(
        epoch: place.epoch, readable: samples.count, batchSize: options.batchSize,
        lastReasons: badSamples.lastReasons)
    }
    guard isTraining else { return false }
    samples.removeAll(keepingCapacity: true)
    place = LoaderPosition(epoch: place.epoch + 1)
    badSamples = BadSampleCount(share: options.maximumBadShare)
    isWholeEpochWithoutBatch = true
    return true
  }
}
