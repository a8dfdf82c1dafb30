import Autograd
import Layers
import Tensors

/// The Querying Transformer: learned query tokens that read an image through cross-attention, and a
/// text transformer that shares their self-attention (Li et al. 2023, §3.1).
public struct QFormer: Module {
  public let configuration: QFormerConfiguration
  public let visionWidth: Int
  /// `[1, queries, width]`.
  public let queryTokens: Parameter
  /// `[vocabulary, width]`; also the decoder of the language head.
  public let wordEmbeddings: Parameter
  /// `[positions, width]`, for text only.
  public let positionEmbeddings: Parameter
  public let embeddingNorm: LayerNorm
  let layers: ModuleList<QFormerLayer>

  public init(
    _ configuration: QFormerConfiguration, visionWidth: Int, _ initialiser: ParameterInitialiser
  ) {
    self.configuration = configuration
    self.visionWidth = visionWidth
    let (width, deviation) = (configuration.width, configuration.initialDeviation)
    queryTokens = initialiser.normal(
      [1, configuration.queries, width], standardDeviation: deviation)
    wordEmbeddings = initialiser.normal(
      [configuration.vocabularySize, width], standardDeviation: deviation)
    positionEmbeddings = initialiser.normal(
      [configuration.maximumPositions, width], standardDeviation: deviation)
    embeddingNorm = LayerNorm(width: width, epsilon: configuration.layerNormEpsilon, initialiser)
    layers = ModuleList(
      (0..<configuration.layers).map {
        QFormerLayer(configuration, number: $0, visionWidth: visionWidth, initialiser)
      })
  }

  /// The output of one pass.
  public struct Output {
    /// The query rows that are read, `[query sequences · queries, width]`; nil if there are none.
    public let queries: Variable?
    /// The text rows that are read, `[tokens, width]`; nil if there are none.
    public let texts: Variable?
    /// The keys and values of all rows, by layer; none where layers are recomputed.
    public let memory: [KeyValues]
  }

  /// Runs packed sequences through all layers.
  /// - Parameters:
  ///   - images: What queries read of the images, by layer (`imageMemory`); nil without queries.
  ///   - past: Keys and values, by layer, of rows that stand before the pack's.
  ///   - randomness: nil in evaluation.
  ///   - recomputing: Keeps only what goes into each layer, which the backward pass runs again.
  public func callAsFunction(
    _ pack: PackedSequences, images: [AttentionSource?]?, past: [KeyValues]? = nil,
    randomness: TrainingRandomness? = nil, recomputing: Bool = false
  ) -> Output {
    precondition(past == nil || !recomputing, "what is trained has no rows before it")
    var x = embeddingNorm(embeddings(pack)).dropout(
      randomness?.dropout(site: 0), places: pack.rows.places)
    var memory: [KeyValues] = []
    for (number, layer) in layers.elements.enumerated() {
      let rows = number == configuration.layers - 1 ? pack.lastRows : pack.rows
      if recomputing {
        x = layer.recomputed(x, rows: rows, image: images?[number], randomness: randomness)
        continue
      }
      let result = layer(
        x, rows: rows, image: images?[number], past: past?[number], randomness: randomness)
      x = result.output
      memory.append(result.memory)
    }
    let read = pack.lastRows
    return Output(
      queries: read.queryRows > 0 ? x.rows(0..<read.queryRows) : nil,
      texts: read.textRows > 0 ? x.rows(read.queryRows..<read.count) : nil, memory: memory)
  }

  /// What the queries alone make of images.
  /// - Parameters:
  ///   - features: `[images, tokens, vision width]`.
  ///   - norm: The trained norm over them.
  ///   - indices: The number of each image in the global batch; nil for 0, 1, 2, …
  ///   - readsOutputs: Whether somebody reads the query outputs, and not their keys and values alone.
  public func read(
    _ features: Variable, norm: LayerNorm, indices: [Int]? = nil, readsOutputs: Bool = true,
    randomness: TrainingRandomness? = nil, recomputing: Bool = false
  ) -> Output {
    var pack = PackedSequences(queryCount: configuration.queries)
    pack.addImages(indices ?? Array(0..<features.shape[0]), areRead: readsOutputs)
    pack.layOut(imageTokens: features.shape[1])
    return self(
      pack, images: imageMemory(features, norm: norm, readings: 1), randomness: randomness,
      recomputing: recomputing)
  }

  /// What each layer's cross-attention reads: keys and values, which are computed once and serve every
  /// pass over the same images, or the features themselves, where few queries read them.
  /// - Parameters:
  ///   - features: `[images, tokens, vision width]`.
  ///   - norm: The trained norm over them.
  ///   - readings: How many query sequences read each image in all passes, on average.
  /// - Returns: One entry a layer; nil for layers without cross-attention.
  public func imageMemory(
    _ features: Variable, norm: LayerNorm, readings: Int
  ) -> [AttentionSource?] {
    let rows = NormalisedRows(
      features.reshaped([features.value.rowCount, features.value.width]), norm)
    let tokens = features.shape.dropLast().last ?? 1
    let queryRows = readings * configuration.queries
    return layers.elements.map {
      $0.crossAttention?.sublayer.source(of: rows, keyRows: tokens, queryRows: queryRows)
    }
  }

  /// Query tokens as they are, text as word and position: `[rows, width]`.
  private func embeddings(_ pack: PackedSequences) -> Variable {
    var parts: [Variable] = []
    if pack.queryRows > 0 {
      let places = (0..<pack.queryRows).map { Int32($0 % configuration.queries) }
      parts.append(queryTokens.variable.gatheredRows(places))
    }
    if pack.textRows > 0 {
      precondition(
        pack.positions.allSatisfy { $0 < configuration.maximumPositions },
        "a text is longer than the \(configuration.maximumPositions) positions of the Q-Former")
      parts.append(
        wordEmbeddings.variable.gatheredRows(pack.tokenIds)
          + positionEmbeddings.variable.gatheredRows(pack.positions))
    }
    return .concatenatedRows(parts)
  }

  /// Gives each query feed-forward the numbers of its layer's text feed-forward, as stage 1 starts.
  public func copyTextFeedForwardsToQueries() {
    for layer in layers.elements {
      for (mine, theirs) in zip(
        layer.queryFeedForward.namedParameters, layer.textFeedForward.namedParameters)
      { mine.parameter.value = theirs.parameter.value.copied() }
    }
  }
}
