import Autograd
import Layers
import Tensors

/// One layer: self-attention over all rows, cross-attention of the query rows onto the image in
/// every second layer, and a feed-forward of its own for queries and for text.
struct QFormerLayer: Module {
  let selfAttention: AttentionBlock
  let crossAttention: AttentionBlock?
  let queryFeedForward: FeedForwardBlock
  let textFeedForward: FeedForwardBlock
  let number: Int

  init(
    _ configuration: QFormerConfiguration, number: Int, visionWidth: Int,
    _ initialiser: ParameterInitialiser
  ) {
    self.number = number
    selfAttention = AttentionBlock(configuration, keyInputs: configuration.width, initialiser)
    crossAttention =
      configuration.hasCrossAttention(number)
      ? AttentionBlock(configuration, keyInputs: visionWidth, initialiser) : nil
    queryFeedForward = FeedForwardBlock(configuration, initialiser)
    textFeedForward = FeedForwardBlock(configuration, initialiser)
  }

  var members: [Member] {
    var members: [Member] = [.module("selfAttention", selfAttention)]
    if let crossAttention { members.append(.module("crossAttention", crossAttention)) }
    return members + [
      .module("queryFeedForward", queryFeedForward), .module("textFeedForward", textFeedForward),
    ]
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
    func dropout(_ site: DropoutSite) -> Dropout? {
      randomness?.dropout(site: site.number(layer: number))
    }
    let own = selfAttention.keyValues(x)
    let memory = past.map { own.following($0) } ?? own
    let looking = rows.read.of(x)
    if rows.count == 0 { return (looking, own) }
    let attended = selfAttention(
      looking, memory: .keyValues(memory), layout: rows.selfAttention, places: rows.places,
      probabilityDropout: dropout(.selfAttention), outputDropout: dropout(.selfAttentionOutput))
    var parts: [Variable] = []
    if rows.queryRows > 0 {
      let places = Array(rows.places[..<rows.queryRows])
      var queries = attended.rows(0..<rows.queryRows)
      if let crossAttention {
        guard let image else { preconditionFailure("queries need an image to look at") }
        queries = crossAttention(
          queries, memory: image, layout: rows.crossAttention, places: places,
          probabilityDropout: dropout(.crossAttention),
          outputDropout: dropout(.crossAttentionOutput))
      }
      parts.append(queryFeedForward(queries, dropout: dropout(.queryFeedForward), places: places))
    }
    if rows.textRows > 0 {
      let places = Array(rows.places[rows.queryRows...])
      let text = attended.rows(rows.queryRows..<rows.count)
      parts.append(textFeedForward(text, dropout: dropout(.textFeedForward), places: places))
    }
    return (.concatenatedRows(parts), own)
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

extension KeyValues {
  /// These rows after those of `past`.
  func following(_ past: KeyValues) -> KeyValues {
    KeyValues(
      keys: .concatenatedRows([past.keys, keys]), values: .concatenatedRows([past.values, values]))
  }
}
