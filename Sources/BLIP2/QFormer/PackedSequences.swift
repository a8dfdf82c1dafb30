import Autograd
import Layers
import Tensors

/// What a sequence is for; dropout draws of different purposes are different draws.
public enum SequencePurpose: UInt32, Sendable {
  case image, text, generation, match, negativeImage, negativeText
}

/// The sequences of one pass through the Q-Former, laid end to end without padding: all query rows
/// first, then all text rows, and the layout that says who sees whom.
public struct PackedSequences {
  /// What a text sees beside its own tokens.
  public enum TextView {
    /// All of the text, nothing else: the uni-modal mask of ITC.
    case itself
    /// The queries, and text up to itself: the multi-modal causal mask of ITG. The queries do not
    /// see the text.
    case queriesAndEarlierText(queries: Int)
    /// Queries and text see each other: the bidirectional mask of ITM.
    case queriesBothWays(queries: Int)
  }

  /// Which of a text's outputs are read. The last layer computes of the other rows only what they
  /// answer with, keys and values.
  public enum ReadTokens {
    case all, first, last, none

    fileprivate func of(_ rows: Range<Int>) -> Range<Int> {
      switch self {
      case .all: rows
      case .first: rows.prefix(1)
      case .last: rows.suffix(1)
      case .none: rows.prefix(0)
      }
    }
  }

  let queryCount: Int
  private var querySequences: [(image: Int, sample: UInt32, areRead: Bool)] = []
  private var texts: [(rows: Range<Int>, read: Range<Int>, sample: UInt32, view: TextView)] = []
  /// The text rows' tokens and positions.
  public private(set) var tokenIds: [Int32] = []
  public private(set) var positions: [Int32] = []
  /// How many text outputs are read.
  public private(set) var textOutputs = 0

  /// The rows that every layer but the last computes: all.
  private(set) var rows = LayerRows()
  /// The rows that the last layer computes: those whose outputs are read.
  private(set) var lastRows = LayerRows()

  /// - Parameter queryCount: The number of query tokens.
  public init(queryCount: Int) {
    self.queryCount = queryCount
  }

  public var queryRows: Int { querySequences.count * queryCount }
  public var textRows: Int { tokenIds.count }
  public var rowCount: Int { queryRows + textRows }

  static func sample(_ index: Int, _ purpose: SequencePurpose) -> UInt32 {
    UInt32(index) &* 8 &+ purpose.rawValue
  }

  /// Adds query tokens that look at an image.
  /// - Parameters:
  ///   - image: The image's number among the images of the pass.
  ///   - index: The sample's index in the global batch.
  ///   - areRead: Whether somebody reads their outputs.
  /// - Returns: The number of this query sequence.
  public mutating func addQueries(
    image: Int, index: Int, purpose: SequencePurpose, areRead: Bool = true
  ) -> Int {
    querySequences.append((image, PackedSequences.sample(index, purpose), areRead))
    return querySequences.count - 1
  }

  /// Adds query tokens for each image of the pass.
  /// - Parameter indices: Their samples' indices in the global batch.
  public mutating func addImages(_ indices: [Int], areRead: Bool = true) {
    for (image, index) in indices.enumerated() {
      _ = addQueries(image: image, index: index, purpose: .image, areRead: areRead)
    }
  }

  /// Adds a text.
  /// - Parameter reading: The tokens whose outputs are read.
  /// - Returns: Where these outputs are among all texts'.
  @discardableResult
  public mutating func addText(
    _ tokens: [Int32], view: TextView, index: Int, purpose: SequencePurpose,
    reading: ReadTokens = .all
  ) -> Range<Int> {
    let rows = tokenIds.count..<tokenIds.count + tokens.count
    let read = reading.of(rows)
    tokenIds += tokens
    positions += (0..<tokens.count).map { Int32($0) }
    texts.append((rows, read, PackedSequences.sample(index, purpose), view))
    defer { textOutputs += read.count }
    return textOutputs..<textOutputs + read.count
  }

  /// The rows of a query sequence in the pack.
  func rows(ofQueries sequence: Int) -> Range<Int> {
    sequence * queryCount..<(sequence + 1) * queryCount
  }

  /// Builds the layouts; call it once all sequences are added.
  ///
  /// - Parameters:
  ///   - imageTokens: The number of feature rows of each image.
  ///   - past: Query sequences whose keys and values stand before the rows of this pass, as
  ///     `queryCount` rows each; texts then number their queries among these.
  public mutating func layOut(imageTokens: Int, past: Int = 0) {
    precondition(past == 0 || querySequences.isEmpty, "queries are either past or in the pass")
    rows = LayerRows(
      read: OutputRows([0..<rowCount]), queryRows: queryRows,
      selfAttention: selfAttention(
        pastRows: past * queryCount, sequenceCount: max(past, querySequences.count)),
      crossAttention: crossAttention(imageTokens: imageTokens))
    let readQueries = querySequences.indices.filter { querySequences[$0].areRead }
    let readTexts = texts.map(\.read).map {
      queryRows + $0.lowerBound..<queryRows + $0.upperBound
    }
    lastRows = rows.reading(
      OutputRows(readQueries.map { rows(ofQueries: $0) } + readTexts),
      queryRows: readQueries.count * queryCount)
  }

  private func selfAttention(pastRows: Int, sequenceCount: Int) -> AttentionLayout {
    var groups = (0..<sequenceCount).map { sequence in
      AttentionLayout.Group(queries: [], keys: [rows(ofQueries: sequence)])
    }
    for (sequence, entry) in querySequences.enumerated() {
      groups[sequence].queries.append(
        .init(
          rows: rows(ofQueries: sequence), visibleKeys: queryCount,
          place: RandomPlace(sample: entry.sample)))
    }
    for text in texts where !text.rows.isEmpty {
      let rows = queryRows + text.rows.lowerBound..<queryRows + text.rows.upperBound
      let keys = pastRows + rows.lowerBound..<pastRows + rows.upperBound
      switch text.view {
      case .itself:
        groups.append(
          .init(
            queries: [
              .init(rows: rows, visibleKeys: rows.count, place: RandomPlace(sample: text.sample))
            ], keys: [keys]))
      case .queriesAndEarlierText(let queries), .queriesBothWays(let queries):
        precondition(groups[queries].keys.count == 1, "two texts cannot share one query sequence")
        let isCausal = if case .queriesAndEarlierText = text.view { true } else { false }
        groups[queries].keys.append(keys)
        if !isCausal {
          for span in groups[queries].queries.indices {
            groups[queries].queries[span].visibleKeys = queryCount + rows.count
          }
        }
        groups[queries].queries.append(
          .init(
            rows: rows, visibleKeys: isCausal ? queryCount + 1 : queryCount + rows.count,
            isCausal: isCausal,
            place: RandomPlace(sample: text.sample, position: UInt32(queryCount))))
      }
    }
    return AttentionLayout(groups: groups)
  }

  private func crossAttention(imageTokens: Int) -> AttentionLayout {
    var groups: [Int: AttentionLayout.Group] = [:]
    for (sequence, entry) in querySequences.enumerated() {
      let keys = entry.image * imageTokens..<(entry.image + 1) * imageTokens
      groups[entry.image, default: .init(queries: [], keys: [keys])].queries.append(
        .init(
          rows: rows(ofQueries: sequence), visibleKeys: imageTokens,
          place: RandomPlace(sample: entry.sample)))
    }
    return AttentionLayout(groups: groups.sorted { $0.key < $1.key }.map(\.value))
  }
}
