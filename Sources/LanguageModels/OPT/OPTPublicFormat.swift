import Layers
import PublicFormats
import WeightFiles

/// OPT as Hugging Face folders hold it.
extension OPT {
  public static let modelTypes = ["opt"]

  public init(_ source: LanguageModelSource) throws {
    let configuration = try source.decoded(OPTConfiguration.self)
    try source.require(configuration.problem)
    self.init(configuration, ParameterInitialiser(seed: 0))
    let head = "lm_head.weight"
    if try source.storesBoth([head], publicFormat.fileNames(of: "wordEmbeddings")) {
      throw WeightFileError.wrongKind(
        file: source.weights.url.path, tensor: head,
        expected: "the word embeddings, as OPT ties them", found: "others (not supported)")
    }
    try source.load(into: namedParameters, publicFormat)
  }

  public var publicConfiguration: [String: Any] { configuration.publicValues }

  public var publicFormat: PublicFormat {
    PublicFormat(
      OPT.outer + OPT.blocks.beneath("blocks.#", "model.decoder.layers.#"),
      // With the name of the outer model as the library saves it, or without.
      spellings: [("model.", "")])
  }

  private static let outer: PublicNames = [
    "wordEmbeddings": "model.decoder.embed_tokens.weight",
    "positionEmbeddings": "model.decoder.embed_positions.weight",
    "inputProjection": "model.decoder.project_in", "outputProjection": "model.decoder.project_out",
    "finalNorm": "model.decoder.final_layer_norm",
  ]

  private static let blocks: PublicNames = [
    "query": "self_attn.q_proj", "key": "self_attn.k_proj", "value": "self_attn.v_proj",
    "output": "self_attn.out_proj", "attentionNorm": "self_attn_layer_norm", "inner": "fc1",
    "outer": "fc2", "feedForwardNorm": "final_layer_norm",
  ]
}
