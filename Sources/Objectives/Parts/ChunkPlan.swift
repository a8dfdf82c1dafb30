/// How the pairs of all processes are cut into chunks, and which chunk judges which candidates: the same
/// plan in every process.
package struct ChunkPlan {
  /// The places in the whole batch of each chunk's pairs: rank after rank.
  package let chunks: [[Int]]
  /// The process that runs each chunk.
  private let ranks: [Int]
  /// The chunks of this process.
  package let own: Range<Int>

  /// - Parameter chunkSize: Pairs of a chunk at most; nil for all that a process has.
  package init(_ whole: WholeBatch, chunkSize: Int?) {
    precondition(chunkSize ?? 1 >= 1, "a chunk of \(chunkSize ?? 0) pairs")
    var (chunks, ranks) = ([[Int]](), [Int]())
    for (rank, places) in whole.places.enumerated() {
      let size = max(1, chunkSize ?? places.count)
      for start in stride(from: 0, to: places.count, by: size) {
        chunks.append(Array(places[start..<min(places.count, start + size)]))
        ranks.append(rank)
      }
    }
    self.chunks = chunks
    self.ranks = ranks
    let first = ranks.firstIndex(of: whole.rank) ?? 0
    own = first..<first + ranks.count { $0 == whole.rank }
  }

  /// Where an own chunk's pairs lie among the own ones.
  package func ownRange(_ chunk: Int) -> Range<Int> {
    let start = chunks[own.lowerBound..<chunk].reduce(0) { $0 + $1.count }
    return start..<start + chunks[chunk].count
  }

  /// Shares candidates out among the chunks.
  ///
  /// A candidate goes with its image, whose keys and values its chunk has; a text is only token ids. Since
  /// one image may be the negative of many texts, a chunk takes no more of these than it has pairs, and
  /// the others go where there is room, at the price of their images' keys and values once more, and of
  /// sending their features where that is another process.
  /// - Returns: The candidates of each chunk.
  package func shares(of candidates: [MatchingCandidate]) -> [[MatchingCandidate]] {
    var shares = chunks.map { _ in [MatchingCandidate]() }
    var room = chunks.map(\.count)
    var homes = [Int](repeating: 0, count: chunks.reduce(0) { $0 + $1.count })
    for (chunk, places) in chunks.enumerated() {
      for place in places { homes[place] = chunk }
    }
    var others: [MatchingCandidate] = []
    for candidate in candidates {
      let home = homes[candidate.image]
      if candidate.kind == .negativeImage {
        guard room[home] > 0 else {
          others.append(candidate)
          continue
        }
        room[home] -= 1
      }
      shares[home].append(candidate)
    }
    var chunk = 0
    for candidate in others {
      while room[chunk] == 0 { chunk += 1 }
      room[chunk] -= 1
      shares[chunk].append(candidate)
    }
    return shares
  }

  /// The images that each process wants of others, in the order of their places.
  /// - Parameter judged: The candidates of each chunk.
  package func foreignImages(
    of judged: [[MatchingCandidate]], _ whole: WholeBatch
  ) -> [[Int]] {
    whole.places.indices.map { rank in
      let candidates = zip(ranks, judged).filter { $0.0 == rank }.flatMap(\.1)
      return Set(candidates.map(\.image)).subtracting(whole.places[rank]).sorted()
    }
  }
}

/// The images that a chunk looks at, numbered: its own pairs', then others of the batch.
package struct ChunkNumbers {
  /// Their places in the whole batch.
  package let images: [Int]

  package init(_ places: [Int], and candidates: [MatchingCandidate]) {
    images = places + Set(candidates.map(\.image)).subtracting(places).sorted()
  }

  /// Candidates whose images are numbered as they are here.
  package func renumbered(
    _ candidates: [MatchingCandidate]
  ) -> [MatchingCandidate] {
    let numbers = Dictionary(
      uniqueKeysWithValues: images.enumerated().map { ($0.element, $0.offset) })
    return candidates.map { candidate in
      guard let number = numbers[candidate.image] else {
        preconditionFailure("image \(candidate.image) is not among those of its chunk")
      }
      var candidate = candidate
      candidate.image = number
      return candidate
    }
  }
}
