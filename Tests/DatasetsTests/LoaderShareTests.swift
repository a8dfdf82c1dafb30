import Foundation
import Testing

@testable import Datasets

@Suite(.timeLimit(.minutes(2))) struct LoaderShareTests {
  private func loader(
    _ source: any SampleSource, share: LoaderShare = .whole, workers: Int = 2,
    from start: LoaderPosition = LoaderPosition()
  ) throws -> BatchLoader {
    try BatchLoader(
      source: source, content: PictureContent(transform: .training(side: 2)),
      options: BatchLoaderOptions(
        pass: .training, batchSize: 8, seed: 42, workerCount: workers, prefetchedBatches: 2,
        maximumBadShare: 1, share: share),
      startingAt: start)
  }

  /// The batches of all shares, put together again.
  private func union(_ parts: [[Batch]]) -> [(samples: [CaptionSample], values: [Float])] {
    parts[0].indices.map { number in
      let batches = parts.map { $0[number] }
      var samples: [CaptionSample] = []
      var values: [Float] = []
      for place in batches[0].samples.indices {
        for batch in batches {
          let length = batch.values.count / batch.samples.count
          samples.append(batch.samples[place])
          values += batch.values[(place * length)..<((place + 1) * length)]
        }
      }
      return (samples, values)
    }
  }

  @Test(arguments: [1, 2, 4], [1, 3]) func sharesMakeUpTheWhole(shares: Int, workers: Int) throws {
    try withTemporaryFolder { folder in
      let memory = MemoryCaptions(count: 43)
      let shards = try ShardSource(
        paths: folder.packing(memory, as: "shards", shardSize: 5), shuffleWindow: 16)
      let mixture = try SourceMixture([.init(shards, weight: 2), .init(memory, weight: 1)])
      for source in [memory, shards, mixture] as [any CaptionSource] {
        let whole = try loader(source).batches(17)
        let parts = try (0..<shares).map { rank in
          try loader(source, share: LoaderShare(rank: rank, of: shares), workers: workers)
            .batches(17)
        }
        let together = union(parts)
        #expect(together.map(\.samples) == whole.map(\.samples))
        #expect(together.map(\.values) == whole.map(\.values))
        for (rank, part) in parts.enumerated() {
          let places = (0..<8 / shares).map { rank + $0 * shares }
          #expect(part.allSatisfy { $0.places == places })
          #expect(part.map(\.positionAfter) == whole.map(\.positionAfter))
          #expect(part.allSatisfy { $0.samples.count == 8 / shares })
        }
        #expect(whole.last?.epoch ?? 0 >= 1)
      }
    }
  }

  @Test func brokenSamplesLeaveSharesInStep() throws {
    let source = MemoryCaptions(count: 40, broken: [0, 1, 2, 3, 17, 30])
    let parts = try (0..<2).map { rank in
      try loader(source, share: LoaderShare(rank: rank, of: 2)).batches(12)
    }
    let expected = (0..<12).map { LoaderPosition(epoch: $0 / 5, position: ($0 % 5 + 1) * 8) }
    for (rank, part) in parts.enumerated() {
      #expect(part.map(\.positionAfter) == expected)
      for (number, batch) in part.enumerated() {
        #expect(batch.samples.count == 4 && batch.values.count == 4 * 3 * 2 * 2)
        let order = source.order(seed: 42, epoch: number / 5)
        let places = (0..<4).map { order[number % 5 * 8 + rank + 2 * $0] }
        let broken = places.filter { source.files[$0].count == 60 }
        #expect(batch.skipped.map(\.path) == broken.map { "\($0).png" })
        for (place, sample) in zip(places, batch.samples) {
          // Each place has its own sample, or, if that is broken, a readable one of the same part.
          #expect(sample.index == place || broken.contains(place) && places.contains(sample.index))
          #expect(source.files[sample.index].count > 60)
        }
      }
      #expect(part.flatMap(\.skipped).count > 4)
    }
  }

  @Test func sharesGoOnExactly() throws {
    let source = MemoryCaptions(count: 43, broken: [4, 9])
    let share = LoaderShare(rank: 1, of: 4)
    let whole = try loader(source, share: share).batches(14)
    for stop in [0, 3, 4, 8] {
      let rest = try loader(source, share: share, workers: 3, from: whole[stop].positionAfter)
        .batches(5)
      #expect(rest.map(\.samples) == whole[(stop + 1)..<(stop + 6)].map(\.samples))
      #expect(rest.map(\.values) == whole[(stop + 1)..<(stop + 6)].map(\.values))
    }
  }

  @Test func aPartWithoutAnythingReadableEndsTheRun() throws {
    let source = MemoryCaptions(count: 16, broken: Set(0..<16))
    let error = #expect(throws: DatasetError.self) {
      try loader(source, share: LoaderShare(rank: 0, of: 2)).next()
    }
    guard case .unreadablePart(4, let reasons) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(!reasons.isEmpty)
  }
}
