import Foundation
import Testing

@testable import Datasets

@Suite(.timeLimit(.minutes(10))) struct SourceMixtureTests {
  private func visits(_ mixture: SourceMixture, epoch: Int) -> [SampleOrder.Visit] {
    let order = mixture.order(seed: 7, epoch: epoch)
    return (0..<order.count).map(order.visit(at:))
  }

  @Test func eachSourceHasItsShareAndItsOwnEpochs() throws {
    let mixture = try SourceMixture([
      .init(MemoryCaptions(count: 10), weight: 3), .init(MemoryCaptions(count: 30), weight: 1),
    ])
    #expect(mixture.count == 40 && mixture.places == [30, 10])
    var ofSecond: [SampleOrder.Visit] = []
    for epoch in 0..<6 {
      let visits = visits(mixture, epoch: epoch)
      let first = visits.filter { $0.index < 10 }
      #expect(first.count == 30)
      // The small source is seen three times, each time whole and in another order.
      for own in 0..<3 {
        let once = first[(own * 10)..<(own * 10 + 10)]
        #expect(once.map(\.index).sorted() == Array(0..<10))
        #expect(once.allSatisfy { $0.epoch == epoch * 3 + own })
      }
      #expect(first[0..<10].map(\.index) != first[10..<20].map(\.index))
      ofSecond += visits.filter { $0.index >= 10 }
      // The sources are mingled, not one after the other.
      #expect(Set(visits[..<20].map { $0.index < 10 }) == [true, false])
    }
    for own in 0..<2 {
      let once = ofSecond[(own * 30)..<(own * 30 + 30)]
      #expect(once.map(\.index).sorted() == Array(10..<40))
      #expect(once.allSatisfy { $0.epoch == own })
    }
  }

  @Test func withoutWeightsEverySampleComesOnce() throws {
    let mixture = try SourceMixture([
      .init(MemoryCaptions(count: 3)), .init(MemoryCaptions(count: 11)),
      .init(MemoryCaptions(count: 1)),
    ])
    #expect(mixture.places == [3, 11, 1])
    for epoch in 0..<4 {
      let visits = visits(mixture, epoch: epoch)
      #expect(visits.map(\.index).sorted() == Array(0..<15))
      #expect(visits.allSatisfy { $0.epoch == epoch })
    }
  }

  @Test(arguments: [
    ([1.0, 1.0, 1.0], [4, 3, 3]), ([5, 3, 2], [5, 3, 2]), ([1, 0.13, 0.12], [8, 1, 1]),
    ([0.55, 0.35, 0.1], [6, 3, 1]), ([2, 7, 0.5], [2, 7, 1]),
  ])
  func sharesAreRoundedByTheLargestRemainders(weights: [Double], places: [Int]) throws {
    let parts = zip([2, 3, 5], weights).map {
      SourceMixture.Part(MemoryCaptions(count: $0), weight: $1)
    }
    let mixture = try SourceMixture(parts)
    #expect(mixture.places == places)
    for epoch in [0, 1, 1_000_000, Int(Int32.max)] {
      #expect(visits(mixture, epoch: epoch).count == 10)
    }
  }

  @Test func samplesSayWhereTheyComeFrom() throws {
    let parts = [
      SourceMixture.Part(MemoryCaptions(count: 4)), .init(MemoryCaptions(count: 4)),
    ]
    let mixture = try SourceMixture(parts)
    let samples = try (0..<8).map { try mixture.sample(at: $0, seed: 1, epoch: 0) }
    #expect(samples.map(\.index) == Array(0..<8) && samples.map(\.image) == Array(0..<8))
    #expect(samples.map(\.source) == [0, 0, 0, 0, 1, 1, 1, 1])
    #expect(Set(samples.map(\.imageId)).count == 8)
    for image in 0..<8 {
      let record = try mixture.record(at: image)
      #expect(record.imageId == samples[image].imageId)
      #expect(record.captions == ["caption \(image % 4)"])
      let bytes = try mixture.imageBytes(ofImage: image, limit: 1 << 20)
      #expect(bytes == (parts[0].source as? MemoryCaptions)?.files[image % 4])
      #expect(try mixture.imageBytes(ofImage: samples[image].image, limit: 1 << 20) == bytes)
    }
    #expect(mixture.imageCount == 8 && mixture.pairCount == 8)
    // One sample an image still knows its source, which decides how the image is augmented.
    let images = ImagesOnce(mixture)
    #expect(
      (0..<8).map { images.sample(at: $0, seed: 1, epoch: 0).source } == samples.map(\.source))
  }

  @Test func eachSourceHasItsOwnTransform() throws {
    let mixture = try SourceMixture([
      .init(MemoryCaptions(count: 3)), .init(MemoryCaptions(count: 3)),
    ])
    let white = ImageNormalization(
      mean: SIMD3(repeating: -1), standardDeviation: SIMD3(repeating: 1))
    let transforms = [
      ImageTransform.evaluation(side: 2), .evaluation(side: 2, normalization: white),
    ]
    let loader = try BatchLoader(
      source: ImagesOnce(mixture), content: ImageContent(transforms: transforms),
      options: BatchLoaderOptions(pass: .evaluation, batchSize: 6, seed: 1))
    let batch = try #require(try loader.next())
    for sample in batch.samples {
      let plain = try BatchLoader(
        source: ImagesOnce(mixture), content: ImageContent(transform: transforms[sample.source]),
        options: BatchLoaderOptions(pass: .evaluation, batchSize: 6, seed: 1))
      let expected = try #require(try plain.next()).content.values
      let range = sample.index * 12..<(sample.index + 1) * 12
      #expect(batch.content.values[range] == expected[range])
    }
  }

  @Test func equalSourcesHaveOrdersOfTheirOwn() throws {
    let mixture = try SourceMixture([
      .init(MemoryCaptions(count: 50)), .init(MemoryCaptions(count: 50)),
    ])
    let visits = visits(mixture, epoch: 0).map(\.index)
    #expect(visits.filter { $0 < 50 } != visits.filter { $0 >= 50 }.map { $0 - 50 })
  }

  @Test func impossibleMixturesAreRefused() {
    // A source that would never be seen, and weights for some sources only.
    for weights in [[1, 1e-6], [1, nil]] as [[Double?]] {
      #expect(throws: DatasetError.self) {
        try SourceMixture(weights.map { .init(MemoryCaptions(count: 5), weight: $0) })
      }
    }
    #expect(throws: DatasetError.self) { try SourceMixture([]) }
    for weight in [0, -1, Double.nan, .infinity] {
      #expect(throws: DatasetError.self) {
        try SourceMixture([.init(MemoryCaptions(count: 2), weight: weight)])
      }
    }
  }

  @Test func fingerprintSpeaksOfSourcesAndWeights() throws {
    func fingerprint(_ counts: [Int], _ weights: [Double?]) throws -> String {
      try SourceMixture(
        zip(counts, weights).map { .init(MemoryCaptions(count: $0), weight: $1) }
      ).fingerprint()
    }
    let first = try fingerprint([5, 6], [nil, nil])
    #expect(try fingerprint([5, 6], [5, 6]) == first)
    #expect(try fingerprint([5, 6], [1, 2]) != first)
    #expect(try fingerprint([6, 5], [nil, nil]) != first)
    #expect(try fingerprint([5, 6, 1], [nil, nil, nil]) != first)
  }

  /// A list, shards and a source with broken files, gone on with at any place and by any threads.
  @Test func interruptedRunsGoOnExactly() throws {
    try withTemporaryFolder { folder in
      let several = MemoryCaptions(count: 21) { image in (0..<3).map { "\(image)-\($0)" } }
      let shards = try ShardSource(
        paths: folder.packing(several, as: "shards", shardSize: 4), shuffleWindow: 20)
      let mixture = try SourceMixture([
        .init(shards, weight: 5), .init(MemoryCaptions(count: 30, broken: [3, 8]), weight: 2),
        .init(MemoryCaptions(count: 2), weight: 0.3),
      ])
      func loader(_ workers: Int, _ start: LoaderPosition = .init()) throws -> BatchLoader {
        try BatchLoader(
          source: mixture, content: ImageContent(transform: .training(side: 2)),
          options: BatchLoaderOptions(
            pass: .training, batchSize: 4, seed: 3, workerCount: workers, maximumBadShare: 1),
          startingAt: start)
      }
      let whole = try loader(1).batches(40)
      #expect(Set(whole.flatMap(\.samples).map(\.source)) == [0, 1, 2])
      #expect(whole.last?.epoch ?? 0 >= 2)
      for stop in [0, 5, 11, 12, 13, 26, 30] {
        let rest = try loader(stop % 3 + 1, whole[stop].positionAfter).batches(8)
        let expected = whole[(stop + 1)..<(stop + 9)]
        #expect(rest.map(\.samples) == expected.map(\.samples))
        #expect(rest.map(\.content.values) == expected.map(\.content.values))
        #expect(rest.map(\.positionAfter) == expected.map(\.positionAfter))
      }
    }
  }
}
