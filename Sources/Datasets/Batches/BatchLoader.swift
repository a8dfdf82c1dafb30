import Tensors

/// Delivers batches in order, reading and transforming images ahead on threads of its own.
///
/// The batches are a pure function of source, content, pass, batch size, seed and
/// starting position: neither threads nor an interruption change them. In training a batch is
/// `batchSize` places of the order: at an unreadable sample's place stands another of the epoch, the same
/// whether one process reads the batch or each of several its share (``BatchLoaderOptions/share``). In
/// evaluation unreadable samples are passed over, and those that follow fill the batch.
///
/// A loader is used from one thread at a time.
public final class BatchLoader: BatchStream {
  private let options: BatchLoaderOptions
  private let count: Int
  /// The shape of a sample's numbers.
  private let shape: [Int]
  private let queue: SampleQueue

  /// Where the next batch begins.
  private var position: LoaderPosition
  private var badSamples: BadSampleCount
  /// Whether the pass was begun at its first sample, and no batch has come of it.
  private var isWholePassWithoutBatch: Bool
  /// The samples passed over since the last batch. At the end of an evaluation pass, or after an
  /// error, these are in no batch.
  public private(set) var skipped: [SkippedSample] = []
  private var isFinished = false

  /// - Parameters:
  ///   - encode: Makes a caption's token ids, from several threads; without it samples have none.
  ///   - start: Where to begin: the `positionAfter` of the last batch used, or the start.
  /// - Throws: ``DatasetError`` where the source is too small for one batch (in training) or empty,
  ///   or does not have the starting position.
  public init(
    source: any SampleSource, content: any SampleContent,
    encode: (@Sendable (String) -> [Int32])? = nil, options: BatchLoaderOptions,
    startingAt start: LoaderPosition = LoaderPosition()
  ) throws {
    count = source.count
    guard count >= (options.pass == .training ? options.batchSize : 1) else {
      throw DatasetError.fewerSamplesThanBatch(samples: count, batchSize: options.batchSize)
    }
    try DatasetError.checkSampleCount(count)
    guard (0...Int(Int32.max)).contains(start.epoch), (0...count).contains(start.position) else {
      throw DatasetError.noSuchPosition(position: start.position, count: count)
    }
    self.options = options
    shape = content.shape
    position = start
    isWholePassWithoutBatch = start.position == 0
    badSamples = BadSampleCount(share: options.maximumBadShare)
    queue = SampleQueue(
      work: SampleWork(
        source: source, content: content, encode: encode, pass: options.pass, seed: options.seed),
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
      let batch = try fillBatch()
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
    let isTraining = options.pass == .training
    if isTraining, count - position.position < options.batchSize {
      position = LoaderPosition(epoch: position.epoch + 1)
      badSamples = BadSampleCount(share: options.maximumBadShare)
    }
    var samples: [CaptionSample] = []
    var taken = 0
    let size = shape.reduce(1, *)
    let numbers = try Tensor(shape: [options.shareSize, size]) { numbers in
      while samples.count < options.shareSize, position.position + taken < count {
        guard try takeSample(into: &samples, numbers + samples.count * size) else { break }
        taken += 1
      }
    }
    position.position += isTraining ? options.batchSize : taken
    guard !samples.isEmpty else {
      if isWholePassWithoutBatch {
        throw DatasetError.nothingReadable(tried: taken, lastReasons: badSamples.lastReasons)
      }
      return nil
    }
    isWholePassWithoutBatch = false
    defer { skipped = [] }
    return Batch(
      samples: samples, places: isTraining ? options.share.places(ofBatch: options.batchSize) : nil,
      content: numbers.rows(0..<samples.count).reshaped([samples.count] + shape),
      positionAfter: position, skipped: skipped)
  }

  /// Moves one sample from the queue to the batch, or to those skipped.
  /// - Returns: False where the queue was stopped.
  private func takeSample(
    into samples: inout [CaptionSample], _ numbers: UnsafeMutablePointer<Float>
  ) throws -> Bool {
    try queue.next { outcome, values in
      switch outcome {
      case .sample(let sample, let unreadable):
        if let first = values.baseAddress { numbers.update(from: first, count: values.count) }
        samples.append(sample)
        if let unreadable { try skip(unreadable) } else { badSamples.addReadable() }
      case .skipped(let sample):
        try skip(sample)
      }
    }
  }

  private func skip(_ sample: SkippedSample) throws {
    skipped.append(sample)
    try badSamples.add(sample)
  }
}
