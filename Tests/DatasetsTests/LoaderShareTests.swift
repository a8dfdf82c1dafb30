import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite(.timeLimit(.minutes(10))) struct LoaderShareTests {
  private func loader(
    _ source: any SampleSource, share: LoaderShare = .whole, workers: Int = 2,
    from start: LoaderPosition = LoaderPosition()
  ) throws -> BatchLoader {
    try BatchLoader(
      source: source, content: ImageContent(transform: .training(side: 2)),
      options: BatchLoaderOptions(
        pass: .training, batchSize: 8, seed: 42, workerCount: workers, prefetchedBatches: 2,
        maximumBadShare: 1, share: share),
      startingAt: start)
  }

  /// The batches of all shares, put together again.
  private func union(_ parts: [[Batch]]) -> [Batch] {
    parts[0].indices.map { number in
      let batches = parts.map { $0[number] }
      var whole = batches[0]
      whole.places = batches.flatMap(\.places).sorted()
      let found = whole.places.map { place in
        batches.lazy.compactMap { batch in
          batch.places.firstIndex(of: place).map { (batch, $0) }
        }.first!
      }
      whole.samples = found.map { batch, index in batch.samples[index] }
      let values = found.flatMap { batch, index in
        let length = batch.content.count / batch.samples.count
        return batch.content.values[(index * length)..<((index + 1) * length)]
      }
      whole.content = Tensor(values, shape: [found.count] + batches[0].content.shape.dropFirst())
      whole.skipped = batches.flatMap(\.skipped)
      return whole
    }
  }

  /// Shares that divide the batch of 8 and such that do not, with unreadable samples among them.
  @Test(arguments: [1, 2, 3, 4, 5, 8], [1, 3])
  func sharesMakeUpTheWhole(shares: Int, workers: Int) throws {
    try withTemporaryFolder { folder in
      let memory = MemoryCaptions(count: 43)
      let damaged = MemoryCaptions(count: 43, broken: [0, 1, 2, 3, 17, 30])
      let shards = try ShardSource(
        paths: folder.packing(memory, as: "shards", shardSize: 5), shuffleWindow: 16)
      let mixture = try SourceMixture([.init(shards, weight: 2), .init(damaged, weight: 1)])
      for source in [memory, damaged, shards, mixture] as [any CaptionSource] {
        let whole = try loader(source).batches(17)
        let parts = try (0..<shares).map { rank in
          try loader(source, share: LoaderShare(rank: rank, of: shares), workers: workers)
            .batches(17)
        }
        for (together, whole) in zip(union(parts), whole) {
          #expect(together.places == whole.places)
          #expect(together.samples == whole.samples)
          #expect(together.content.values == whole.content.values)
          #expect(together.skipped.map(\.path).sorted() == whole.skipped.map(\.path).sorted())
        }
        for (rank, part) in parts.enumerated() {
          let places = Array(stride(from: rank, to: 8, by: shares))
          #expect(part.allSatisfy { $0.places == places && $0.samples.count == places.count })
          #expect(part.map(\.positionAfter) == whole.map(\.positionAfter))
        }
        #expect(whole.last?.epoch ?? 0 >= 1)
      }
    }
  }

  @Test func sharesGoOnExactly() throws {
    let source = MemoryCaptions(count: 43, broken: [4, 9])
    let share = LoaderShare(rank: 1, of: 3)
    let whole = try loader(source, share: share).batches(14)
    for stop in [0, 3, 4, 8] {
      let rest = try loader(source, share: share, workers: 3, from: whole[stop].positionAfter)
        .batches(5)
      #expect(rest.map(\.samples) == whole[(stop + 1)..<(stop + 6)].map(\.samples))
      #expect(rest.map(\.content.values) == whole[(stop + 1)..<(stop + 6)].map(\.content.values))
    }
  }
}
