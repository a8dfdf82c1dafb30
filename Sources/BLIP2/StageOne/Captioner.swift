import Autograd
import LanguageModels
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
    /// Tokens are drawn so in place of a search.
    public var sampling: GenerationOptions.Sampling?

    public init() {}

    public init(beams: Int, minimumLength: Int, maximumLength: Int) {
      self.beams = beams
      self.minimumLength = minimumLength
      self.maximumLength = maximumLength
    }

    /// The same for new tokens, those after `[DEC]`.
    fileprivate func generation(end: Int32) -> GenerationOptions {
      var options = GenerationOptions(endIds: [end])
      options.method = sampling.map { .sampling($0) } ?? (beams == 1 ? .greedy : .beams(beams))
      options.beamRule = .original
      options.minimumNewTokens = max(0, minimumLength - 1)
      options.maximumNewTokens = maximumLength - 1
      options.lengthPenalty = lengthPenalty
      return options
    }
  }

  let model: StageOneModel
  let options: Options

  public init(_ model: StageOneModel, options: Options = Options()) {
    precondition(options.beams >= 1 && options.maximumLength >= 2, "no room for a caption")
    self.model = model
    self.options = options
  }

  /// - Parameters:
  ///   - features: `[images, tokens, vision width]`.
  ///   - firstImage: The first image's number among those of all batches, on which draws depend.
  /// - Returns: For each image its tokens from `[DEC]` on; `[SEP]` where the caption ended.
  /// - Throws: `GenerationError`.
  public func captions(_ features: Variable, firstImage: Int = 0) throws -> [[Int32]] {
    let generator = try TextGenerator(options.generation(end: model.tokens.separator))
    return try withoutGradients {
      try generator.sequences(CaptionSession(model, features), firstPrompt: firstImage).map {
        [model.tokens.decoder] + ($0.first?.tokens ?? [])
      }
    }
  }
}

/// Captions under way: the queries' keys and values of their images, to which texts of any length are
/// joined.
private final class CaptionSession: DecodingSession {
  private let model: StageOneModel
  /// By layer, `[images · queries, width]`.
  private let layers: [KeyValues]
  /// For each row its image and its tokens, `[DEC]` first.
  private var sequences: [(image: Int, tokens: [Int32])]

  var vocabularySize: Int { model.configuration.qFormer.vocabularySize }

  init(_ model: StageOneModel, _ features: Variable) {
    self.model = model
    layers = model.qFormer.read(features, norm: model.visionNorm, readsOutputs: false).memory
    sequences = (0..<features.shape[0]).map { ($0, [model.tokens.decoder]) }
  }

  func start() -> Tensor { lastLogits() }

  func advance(_ tokens: [Int32], from parents: [Int]) -> Tensor {
    sequences = zip(tokens, parents).map { token, parent in
      (sequences[parent].image, sequences[parent].tokens + [token])
    }
    return lastLogits()
  }

  /// The logits after the last token of each sequence, `[sequences, vocabulary]`.
  private func lastLogits() -> Tensor {
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
