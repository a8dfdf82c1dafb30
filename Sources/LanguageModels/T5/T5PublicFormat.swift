import Layers
import WeightFiles

/// T5 as Hugging Face folders hold it.
extension T5 {
  public static let modelTypes = ["t5"]

  public init(_ source: LanguageModelSource) throws {
    var configuration = try source.decoded(T5Configuration.self)
    try source.require(configuration.problem)
    let hasOutputTable = try T5.hasOutputTable(source, configuration)
    // Older files scale where the tables are one, and say nothing of it.
    configuration.scalesOutput =
      configuration.scalesOutput ?? (configuration.isTied && !hasOutputTable)
    self.init(configuration, hasOutputTable: hasOutputTable, ParameterInitialiser(seed: 0))
    try source.load(into: namedParameters) { [publicName(of: $0)] + T5.otherNames(of: $0) }
  }

  /// Where both tables are stored and differ they are two, whatever the configuration says.
  private static func hasOutputTable(
    _ source: LanguageModelSource, _ configuration: T5Configuration
  ) throws -> Bool {
    guard let output = source.storedName(["lm_head.weight"]) else {
      guard configuration.isTied else {
        throw WeightFileError.missingTensor(
          file: source.weights.url.path, tensor: "lm_head.weight")
      }
      return false
    }
    guard configuration.isTied,
      let input = source.storedName(["shared.weight"] + otherNames(of: "wordEmbeddings"))
    else { return true }
    let (first, second) = (
      try source.weights.tensor(named: output), try source.weights.tensor(named: input)
    )
    return !first.hasSameBytes(as: second)
  }

  public func publicName(of parameter: String) -> String {
    T5.names(
      isDecoder: parameter.hasPrefix("decoder."), isGated: configuration.isGated)(parameter)
  }

  private static func otherNames(of parameter: String) -> [String] {
    parameter == "wordEmbeddings"
      ? ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"] : []
  }

  public var publicConfiguration: [String: Any] {
    var values = configuration.publicValues
    values["tie_word_embeddings"] = outputTable == nil
    values["scale_decoder_outputs"] = configuration.scalesOutput ?? (outputTable == nil)
    values["is_gated_act"] = configuration.isGated
    return values
  }

  private static func names(isDecoder: Bool, isGated: Bool) -> LanguageModelNames {
    let stack = isDecoder ? "decoder" : "encoder"
    // The feed-forward is the last of a block's sublayers.
    let last = isDecoder ? 2 : 1
    return LanguageModelNames(
      outer: [
        ("wordEmbeddings", "shared.weight"), ("outputTable", "lm_head.weight"),
        (
          "\(stack).distanceBiases",
          "\(stack).block.0.layer.0.SelfAttention.relative_attention_bias.weight"
        ),
        ("\(stack).finalNorm.", "\(stack).final_layer_norm."),
      ],
      blocks: [("\(stack).blocks.", "\(stack).block.")],
      inner: [
        "selfNorm": "layer.0.layer_norm", "selfAttention.query": "layer.0.SelfAttention.q",
        "selfAttention.key": "layer.0.SelfAttention.k",
        "selfAttention.value": "layer.0.SelfAttention.v",
        "selfAttention.output": "layer.0.SelfAttention.o",
        "crossNorm": "layer.1.layer_norm", "crossAttention.query": "layer.1.EncDecAttention.q",
        "crossAttention.key": "layer.1.EncDecAttention.k",
        "crossAttention.value": "layer.1.EncDecAttention.v",
        "crossAttention.output": "layer.1.EncDecAttention.o",
        "feedForwardNorm": "layer.\(last).layer_norm",
        "feedForward.gate": "layer.\(last).DenseReluDense.wi_0",
        "feedForward.inner": "layer.\(last).DenseReluDense.\(isGated ? "wi_1" : "wi")",
        "feedForward.outer": "layer.\(last).DenseReluDense.wo",
      ])
  }
}
