import Autograd
import Layers
import Tensors

/// Captions by stage 1's own language head: `[DEC]` first, `[SEP]` ends (Li et al. 2023, §3.1).
public struct Captioner {
  public struct Options: Equatable, Sendable {
    /// 1 is greedy search.
    public var beams = 3
    /// Tokens, `[DEC]` among them, before which `[SEP]` cannot come.
    public var minimumLength = 10
    /// Tokens at most, `[DEC]` and `[SEP]` among them.
    public var maximumLength = 30
    /// Finished captions compare by log-probability / length to this power.
    public var lengthPenalty: Float = 1

    public init() {}

    public init(beams: Int, minimumLength: Int, maximumLength: Int) {
      self.beams = beams
      self.minimumLength = minimumLength
      self.maximumLength = maximumLength
    }
  }

  /// The model's numbers went astray: nothing can be said of what they describe.
  public struct UnusableLogits: Error {}

  let model: StageOneModel
  let options: Options

  public init(_ model: StageOneModel, options: Options = Options()) {
    precondition(options.beams >= 1 && options.maximumLength >= 2, "no room for a caption")
    self.model = model
    self.options = options
  }

  /// - Parameter features: `[images, tokens, vision width]`.
  /// - Returns: For each image its tokens from `[DEC]` on; `[SEP]` where the caption ended.
  /// - Throws: `UnusableLogits`.
  public func captions(_ features: Variable) throws -> [[Int32]] {
    try Recording.disabled {
      let memory = QueryMemory(model, features)
      var searches = (0..<features.shape[0]).map { _ in
        BeamSearch(options, start: model.tokens.decoder, end: model.tokens.separator)
      }
      while searches.contains(where: { !$0.isDone }) {
        let open = searches.indices.filter { !searches[$0].isDone }
        let sequences = open.flatMap { image in
          searches[image].running.map { (image: image, tokens: $0.tokens) }
        }
        let logits = memory.lastLogits(sequences)
        if logits.hasNonFinite { throw UnusableLogits() }
        var row = 0
        for image in open {
          let count = searches[image].running.count
          searches[image].advance(logits.rows(row..<row + count))
          row += count
        }
      }
      return searches.map(\.best)
    }
  }
}

/// The queries' keys and values of some images, to which texts of any length are joined.
private struct QueryMemory {
  let model: StageOneModel
  let layers: [KeyValues]

  init(_ model: StageOneModel, _ features: Variable) {
    var pack = PackedSequences(queryCount: model.queryCount)
    for image in 0..<features.shape[0] {
      _ = pack.addQueries(image: image, index: image, purpose: .image, areRead: false)
    }
    pack.layOut(imageTokens: features.shape[1])
    let images = model.qFormer.imageMemory(features, norm: model.visionNorm, readings: 1)
    self.model = model
    layers = model.qFormer(pack, images: images).memory
  }

  /// The logits after the last token of each sequence, `[sequences, vocabulary]`.
  func lastLogits(_ sequences: [(image: Int, tokens: [Int32])]) -> Tensor {
    let queries = model.queryCount
    let rows = sequences.flatMap { sequence in
      (0..<queries).map { Int32(sequence.image * queries + $0) }
    }
    let past = layers.map {
      KeyValues(keys: $0.keys.gatheredRows(rows), values: $0.values.gatheredRows(rows))
    }
    var pack = PackedSequences(queryCount: queries)
    for (number, sequence) in sequences.enumerated() {
      pack.addText(
        sequence.tokens, view: .queriesAndEarlierText(queries: number), index: number,
        purpose: .generation, reading: .last)
    }
    pack.layOut(imageTokens: 0, past: sequences.count)
    guard let texts = model.qFormer(pack, images: nil, past: past).texts else {
      preconditionFailure("a sequence begins with a token")
    }
    return model.wordLogits(texts).value
  }
}
