import Layers

/// OPT as Hugging Face folders hold it.
extension OPT {
  public static let modelTypes = ["opt"]

  public init(_ source: LanguageModelSource) throws {
    let configuration = try source.decoded(OPTConfiguration.self)
    try source.require(configuration.problem)
    self.init(configuration, ParameterInitialiser(seed: 0))
    try source.load(into: namedParameters) { parameter in
      let name = OPT.names(parameter)
      // With the name of the outer model as the library saves it, or without.
      return ["model." + name, name]
    }
  }

  public func publicName(of parameter: String) -> String { "model." + OPT.names(parameter) }

  public var publicConfiguration: [String: Any] { configuration.publicValues }

  private static let names = LanguageModelNames(
    outer: [
      ("wordEmbeddings", "decoder.embed_tokens.weight"),
      ("positionEmbeddings", "decoder.embed_positions.weight"),
      ("inputProjection.", "decoder.project_in."), ("outputProjection.", "decoder.project_out."),
      ("finalNorm.", "decoder.final_layer_norm."),
    ],
    blocks: [("blocks.", "decoder.layers.")],
    inner: [
      "query": "self_attn.q_proj", "key": "self_attn.k_proj", "value": "self_attn.v_proj",
      "output": "self_attn.out_proj", "attentionNorm": "self_attn_layer_norm", "inner": "fc1",
      "outer": "fc2", "feedForwardNorm": "final_layer_norm",
    ])
}
