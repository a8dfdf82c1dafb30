import Autograd
import Layers
import Tensors

/// One layer: self-attention over all rows, cross-attention of the query rows onto the image in
/// every second layer, and a feed-forward of its own for queries and for text.
struct QFormerLayer: Module {
  let selfAttention: PostNorm<MultiHeadAttention>
  let crossAttention: PostNorm<MultiHeadAttention>?
  let queryFeedForward: PostNorm<QFormerFeedForward>
  let textFeedForward: PostNorm<QFormerFeedForward>
  let number: Int

  init(
    _ configuration: QFormerConfiguration, number: Int, visionWidth: Int,
    _ initialiser: ParameterInitialiser
  ) {
    self.number = number
    selfAttention = configuration.attention(keyInputs: configuration.width, initialiser)
    crossAttention =
      configuration.hasCrossAttention(number)
      ? configuration.attention(keyInputs: visionWidth, initialiser) : nil
    queryFeedForward = configuration.feedForward(initialiser)
    textFeedForward = configuration.feedForward(initialiser)
  }

  /// - Parameters:
  ///   - x: `[pack rows, width]`: the query rows of the pack, then its text rows.
  ///   - rows: Those that look; of the others only keys and values are computed.
  ///   - image: What queries read of the images; needed where the pack has queries and the layer
  ///     cross-attention.
  ///   - past: Keys and values that stand before the pack's own.
  /// - Returns: The layer's output, `[rows, width]`, and the keys and values of all of x.
  func callAsFunction(
    _ x: Variable, rows: LayerRows, image: AttentionSource?, past: KeyValues?,
    randomness: TrainingRandomness?
  ) -> (output: Variable, memory: KeyValues) {
    let own = selfAttention.sublayer.keyValues(of: x)
    let memory = past.map { own.following($0) } ?? own
    let looking = rows.read.of(x)
    if rows.count == 0 { return (looking, own) }
    let attended = selfAttention(
      looking, dropout: dropout(.selfAttentionOutput, randomness), places: rows.places
    ) {
      $0(
        looking, to: .keyValues(memory), layout: rows.selfAttention,
        dropout: dropout(.selfAttention, randomness))
    }
    var parts: [Variable] = []
    if rows.queryRows > 0 {
      parts.append(
        queryOutput(
          attended.rows(0..<rows.queryRows), rows: rows, image: image, randomness: randomness))
    }
    if rows.textRows > 0 {
      let text = attended.rows(rows.queryRows..<rows.count)
      parts.append(
        textFeedForward(
          text, dropout: dropout(.textFeedForward, randomness),
          places: Array(rows.places[rows.queryRows...])
        ) { $0.maps(text, inComputePrecision: true) })
    }
    return (.concatenatedRows(parts), own)
  }

  /// What becomes of the query rows after self-attention.
  private func queryOutput(
    _ x: Variable, rows: LayerRows, image: AttentionSource?, randomness: TrainingRandomness?
  ) -> Variable {
    let places = Array(rows.places[..<rows.queryRows])
    var queries = x
    if let crossAttention {
      guard let image else { preconditionFailure("queries need an image to look at") }
      queries = crossAttention(
        x, dropout: dropout(.crossAttentionOutput, randomness), places: places
      ) {
        $0(
          x, to: image, layout: rows.crossAttention,
          dropout: dropout(.crossAttention, randomness))
      }
    }
    return queryFeedForward(
      queries, dropout: dropout(.queryFeedForward, randomness), places: places
    ) { $0.maps(queries, inComputePrecision: true) }
  }

  private func dropout(_ site: DropoutSite, _ randomness: TrainingRandomness?) -> Dropout? {
    randomness?.dropout(site: site.number(layer: number))
  }

  /// The layer's output, `[rows, width]`, with nothing kept but what goes in.
  func recomputed(
    _ x: Variable, rows: LayerRows, image: AttentionSource?, randomness: TrainingRandomness?
  ) -> Variable {
    var inputs = [x]
    if case .keyValues(let memory) = image { inputs += [memory.keys, memory.values] }
    return Variable.recomputing(inputs) { inputs in
      let image =
        inputs.count > 1 ? .keyValues(KeyValues(keys: inputs[1], values: inputs[2])) : image
      return [self(inputs[0], rows: rows, image: image, past: nil, randomness: randomness).output]
    }[0]
  }
}
