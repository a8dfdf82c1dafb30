/// The names of the authors' checkpoints (LAVIS) for the parameters of stage 1.
public enum StageOnePublicNames {
  /// The public name of one of our parameters, such as
  /// `Qformer.bert.encoder.layer.0.crossattention.self.key.weight` for
  /// `qFormer.layers.0.crossAttention.key.weight`.
  public static func publicName(of name: String) -> String {
    for (ours, theirs) in wholeNames where name == ours { return theirs }
    for (ours, theirs) in prefixes where name.hasPrefix(ours) {
      return theirs + name.dropFirst(ours.count)
    }
    let parts = name.split(separator: ".", maxSplits: 4).map(String.init)
    guard parts.count == 5, parts[0] == "qFormer", parts[1] == "layers",
      let block = blocks[parts[3]]
    else { return name }
    let (member, leaf) = split(parts[4])
    return "Qformer.bert.encoder.layer.\(parts[2])."
      + (block[member] ?? "\(parts[3]).\(member)") + "." + leaf
  }

  private static func split(_ path: String) -> (member: String, leaf: String) {
    let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
    return (parts[0], parts.count > 1 ? parts[1] : "")
  }

  private static let wholeNames = [
    ("qFormer.queryTokens", "query_tokens"), ("temperature", "temp"),
    ("qFormer.wordEmbeddings", "Qformer.bert.embeddings.word_embeddings.weight"),
    ("qFormer.positionEmbeddings", "Qformer.bert.embeddings.position_embeddings.weight"),
    ("languageHead.bias", "Qformer.cls.predictions.bias"),
  ]

  private static let prefixes = [
    ("qFormer.embeddingNorm.", "Qformer.bert.embeddings.LayerNorm."),
    ("visionNorm.", "ln_vision."), ("visionProjection.", "vision_proj."),
    ("textProjection.", "text_proj."), ("matchingHead.", "itm_head."),
    ("languageHead.transform.", "Qformer.cls.predictions.transform.dense."),
    ("languageHead.norm.", "Qformer.cls.predictions.transform.LayerNorm."),
  ]

  private static let blocks = [
    "selfAttention": attention("attention"), "crossAttention": attention("crossattention"),
    "queryFeedForward": feedForward("_query"), "textFeedForward": feedForward(""),
  ]

  private static func attention(_ name: String) -> [String: String] {
    [
      "query": "\(name).self.query", "key": "\(name).self.key", "value": "\(name).self.value",
      "output": "\(name).output.dense", "norm": "\(name).output.LayerNorm",
    ]
  }

  private static func feedForward(_ suffix: String) -> [String: String] {
    [
      "inner": "intermediate\(suffix).dense", "output": "output\(suffix).dense",
      "norm": "output\(suffix).LayerNorm",
    ]
  }
}
