import Foundation
import Tensors
import Testing

@testable import Datasets

/// Samples in memory, some of them broken.
private struct MemorySource: SampleSource {
  let files: [[UInt8]]

  init(count: Int, broken: Set<Int> = []) {
    files = (0..<count).map { index in
      let file = PNGMaker.file(noise(width: 9, height: 7, seed: UInt64(index)))
      return broken.contains(index) ? Array(file.prefix(60)) : file
    }
  }

  var count: Int { files.count }

  func sample(at index: Int, seed: UInt64, epoch: Int) -> CaptionSample {
    CaptionSample(
      index: index, image: index, imageId: Int64(index), caption: "\(index) in \(epoch)",
      path: "\(index).png")
  }

  func imageBytes(ofImage image: Int, limit: Int) throws -> [UInt8] { files[image] }
}

@Suite(.timeLimit(.minutes(10))) struct BatchLoaderTests {
  private let transform = ImageTransform.training(side: 4)

  private func loader(
    _ source: any SampleSource, batchSize: Int, workers: Int = 2,
    pass: BatchLoaderOptions.Pass = .training, badShare: Double = 1,
    from start: LoaderPosition = LoaderPosition()
  ) throws -> BatchLoader {
    try BatchLoader(
      source: source,
      content: ImageContent(transform: pass == .training ? transform : .evaluation(side: 4)),
      options: BatchLoaderOptions(
        pass: pass, batchSize: batchSize, seed: 42, workerCount: workers, prefetchedBatches: 2,
        maximumBadShare: badShare),
      startingAt: start)
  }

  private func batches(_ loader: BatchLoader, _ count: Int) throws -> [Batch] {
    try (0..<count).map { _ in try #require(try loader.next()) }
  }

  private func expectEqual(_ a: [Batch], _ b: [Batch]) {
    #expect(a.map(\.samples) == b.map(\.samples))
    #expect(a.map(\.content.values) == b.map(\.content.values))
    #expect(a.map(\.positionAfter) == b.map(\.positionAfter))
    #expect(a.map(\.skipped) == b.map(\.skipped))
  }

  @Test func batchesHoldWhatTheTransformMakes() throws {
    let source = MemorySource(count: 10)
    let batch = try #require(try loader(source, batchSize: 4).next())
    #expect(batch.samples.count == 4 && batch.content.count == 4 * 3 * 4 * 4)
    #expect(batch.epoch == 0 && batch.positionAfter == LoaderPosition(epoch: 0, position: 4))
    let order = SampleOrder(count: 10, seed: 42, epoch: 0)
    #expect(batch.samples.map(\.index) == (0..<4).map { order[$0] })
    for (place, sample) in batch.samples.enumerated() {
      var random = RandomStream(
        Philox(seed: 42, stream: 0), site: RandomSite.augmentation.rawValue, sample: UInt32(place))
      let image = try ImageDecoder().decode(bytes: source.files[sample.index])
      let expected = transform.apply(to: image, using: &random)
      #expect(Array(batch.content.values[(place * 48)..<((place + 1) * 48)]) == expected)
    }
  }

  @Test(arguments: [1, 2, 7]) func threadsChangeNothing(workers: Int) throws {
    let source = MemorySource(count: 23, broken: [1, 5, 6, 20])
    let one = try batches(loader(source, batchSize: 5, workers: 1), 12)
    expectEqual(one, try batches(loader(source, batchSize: 5, workers: workers), 12))
  }

  @Test func epochsDropWhatDoesNotFillABatch() throws {
    let broken: Set = [1, 5, 6, 20]
    let source = MemorySource(count: 23, broken: broken)
    let found = try batches(loader(source, batchSize: 5), 12)
    // 23 places make 4 batches of 5 each epoch, whatever is unreadable.
    #expect(found.map(\.epoch) == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
    for (number, batch) in found.enumerated() {
      #expect(batch.samples.count == 5 && batch.content.count == 5 * 48)
      #expect(batch.places == Array(0..<5))
      let order = SampleOrder(count: 23, seed: 42, epoch: number / 4)
      let visited = (0..<5).map { order[number % 4 * 5 + $0] }
      for (place, sample) in zip(visited, batch.samples) {
        #expect(broken.contains(place) ? !broken.contains(sample.index) : sample.index == place)
        #expect(sample.caption.hasSuffix("in \(number / 4)"))
      }
      // Each unreadable sample is reported with the batch in which another stands for it.
      #expect(batch.skipped.map(\.path) == visited.filter(broken.contains).map { "\($0).png" })
      #expect(batch.skipped.allSatisfy { $0.reason.hasPrefix("damaged PNG") })
    }
  }

  @Test func interruptedRunsGoOnExactly() throws {
    let source = MemorySource(count: 23, broken: [1, 5, 6, 20])
    let whole = try batches(loader(source, batchSize: 4, workers: 3), 20)
    for stop in [0, 1, 2, 3, 4, 7, 11, 12] {
      let resumed = try loader(
        source, batchSize: 4, workers: stop % 4 + 1, from: whole[stop].positionAfter)
      expectEqual(Array(whole[(stop + 1)..<(stop + 7)]), try batches(resumed, 6))
    }
  }

  @Test func resumingAtTheVeryEndOfAnEpochBeginsTheNext() throws {
    let source = MemorySource(count: 8)
    let whole = try batches(loader(source, batchSize: 4), 4)
    #expect(whole[1].positionAfter == LoaderPosition(epoch: 0, position: 8))
    let resumed = try loader(source, batchSize: 4, from: whole[1].positionAfter)
    expectEqual(Array(whole[2...]), try batches(resumed, 2))
  }

  @Test func evaluationIsOnePassInOrder() throws {
    let source = MemorySource(count: 11, broken: [2, 10])
    let loader = try loader(source, batchSize: 4, pass: .evaluation)
    var found: [Batch] = []
    while let batch = try loader.next() { found.append(batch) }
    #expect(found.map(\.samples.count) == [4, 4, 1])
    #expect(found.flatMap { $0.samples.map(\.index) } == [0, 1, 3, 4, 5, 6, 7, 8, 9])
    #expect(found.map(\.content.count) == [4 * 48, 4 * 48, 48])
    #expect(found.flatMap(\.skipped).map(\.path) == ["2.png", "10.png"])
    #expect(try loader.next() == nil)
    let image = try ImageDecoder().decode(bytes: source.files[9])
    var random = RandomStream(Philox(seed: 0), site: 0)
    let expected = ImageTransform.evaluation(side: 4).apply(to: image, using: &random)
    #expect(found[2].content.values == expected)
  }

  @Test func lastSkippedSamplesOfAnEvaluationAreNotLost() throws {
    let loader = try loader(
      MemorySource(count: 5, broken: [4]), batchSize: 4, pass: .evaluation)
    #expect(try loader.next()?.samples.count == 4)
    #expect(try loader.next() == nil)
    #expect(loader.skipped.map(\.path) == ["4.png"])
  }

  @Test func tooManyBadSamplesEndTheRun() throws {
    let broken = Set((0..<200).filter { $0 % 5 == 0 })
    let loader = try loader(
      MemorySource(count: 200, broken: broken), batchSize: 10, badShare: 0.01)
    let error = #expect(throws: DatasetError.self) { while try loader.next() != nil {} }
    guard case .tooManyBadSamples(let bad, let seen, let limit, let reasons) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(bad > limit && seen >= 20 && seen < 100 && reasons.count <= 3 && !reasons.isEmpty)
    #expect(try loader.next() == nil)
  }

  @Test func aFewBadSamplesDoNotEndTheRun() throws {
    let loader = try loader(
      MemorySource(count: 100, broken: [17]), batchSize: 10, badShare: 0.01)
    for _ in 0..<50 { #expect(try loader.next() != nil) }
  }

  @Test func noBadSamplesAreAcceptedWhereNoneAreAllowed() throws {
    let loader = try loader(MemorySource(count: 10, broken: [3]), batchSize: 10, badShare: 0)
    let error = #expect(throws: DatasetError.self) { try loader.next() }
    guard case .tooManyBadSamples(1, _, 0, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test(arguments: [BatchLoaderOptions.Pass.training, .evaluation])
  func setsWithoutAnythingReadableEndTheRun(pass: BatchLoaderOptions.Pass) throws {
    let source = MemorySource(count: 10, broken: Set(0..<10))
    let error = #expect(throws: DatasetError.self) {
      try loader(source, batchSize: 4, pass: pass).next()
    }
    guard case .nothingReadable(let tried, let reasons) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    // In training the first place's sample, a hundred drawn in its stead, and all that there are.
    #expect(tried == (pass == .training ? 111 : 10))
    #expect(reasons.count == 3 && reasons.allSatisfy { $0.contains(".png") })
  }

  @Test func oneReadableSampleFillsBatches() throws {
    for count in [10, 2000] {
      let loader = try loader(MemorySource(count: count, broken: Set(1..<count)), batchSize: 4)
      for _ in 0..<6 {
        #expect(try loader.next()?.samples.map(\.index) == [0, 0, 0, 0])
      }
    }
  }

  @Test func smallSetsAndForeignPositionsAreRefused() throws {
    let source = MemorySource(count: 3)
    let small = #expect(throws: DatasetError.self) { try loader(source, batchSize: 4) }
    #expect(small == .fewerSamplesThanBatch(samples: 3, batchSize: 4))
    #expect(small?.description.contains("3") == true && small?.description.contains("4") == true)
    #expect(try loader(source, batchSize: 4, pass: .evaluation).next()?.samples.count == 3)
    let position = #expect(throws: DatasetError.self) {
      try loader(source, batchSize: 2, from: LoaderPosition(epoch: 0, position: 4))
    }
    #expect(position == .noSuchPosition(position: 4, count: 3))
  }

  @Test func stoppingIsCleanAtAnyTime() throws {
    let source = MemorySource(count: 40)
    for taken in 0..<12 {
      let loader = try loader(source, batchSize: 3, workers: 4)
      for _ in 0..<taken { _ = try loader.next() }
      loader.stop()
      loader.stop()
      #expect(try loader.next() == nil)
    }
    // Dropping a loader without stopping it must end its threads too.
    for _ in 0..<20 { _ = try loader(source, batchSize: 3, workers: 4).next() }
  }

  @Test func readsFoldersOnDisk() throws {
    try withTemporaryFolder { folder in
      for index in 0..<6 {
        let image = PNGMaker.file(noise(width: 8, height: 8, seed: UInt64(index)))
        try Foundation.Data(index == 4 ? [] : image).write(
          to: folder.appendingPathComponent("\(index).png"))
        try "caption \(index)".write(
          to: folder.appendingPathComponent("\(index).txt"), atomically: true, encoding: .utf8)
      }
      let set = try CaptionDataset(folder)
      let loader = try loader(set, batchSize: 5, pass: .evaluation)
      let batch = try #require(try loader.next())
      #expect(batch.samples.map(\.caption) == [0, 1, 2, 3, 5].map { "caption \($0)" })
      #expect(
        batch.skipped == [SkippedSample(path: folder.path + "/4.png", reason: "is empty")])
    }
  }
}
