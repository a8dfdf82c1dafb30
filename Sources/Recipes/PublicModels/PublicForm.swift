import BLIP2
import PublicFormats
import WeightFiles

/// Whose names a public BLIP-2 has, and which stage it comes from.
enum PublicForm: Equatable {
  /// The authors' code (LAVIS), stage 1.
  case authorsStageOne
  /// The authors' code, stage 2.
  case authorsStageTwo(projection: String)
  /// Hugging Face's `Blip2ForConditionalGeneration` and `Blip2Model`.
  case huggingFaceStageTwo
  /// Hugging Face's `Blip2ForImageTextRetrieval`.
  case huggingFaceRetrieval

  var format: PublicFormat {
    switch self {
    case .authorsStageOne: .lavis
    case .authorsStageTwo(let projection): .lavisStageTwo(projection: projection)
    case .huggingFaceStageTwo: .huggingFaceStageTwo
    case .huggingFaceRetrieval: .huggingFaceRetrieval
    }
  }

  /// The recipe by which it is used.
  var kind: String {
    switch self {
    case .authorsStageOne, .huggingFaceRetrieval: StageOneRecipe.name
    case .authorsStageTwo, .huggingFaceStageTwo: StageTwoRecipe.name
    }
  }

  var words: String {
    switch self {
    case .authorsStageOne: "the authors' names, stage 1"
    case .authorsStageTwo(let projection): "the authors' names, stage 2 (\(projection))"
    case .huggingFaceStageTwo: "Hugging Face's names, stage 2"
    case .huggingFaceRetrieval: "Hugging Face's names, retrieval"
    }
  }

  /// What stands in front of the image encoder's names.
  var visionPrefix: String { isOfAuthors ? "visual_encoder." : "vision_model." }
  /// What stands in front of the language model's names, where one can be read from there.
  var languageModelPrefix: String? { self == .huggingFaceStageTwo ? "language_model." : nil }

  /// The tensors of a part that is no trained one.
  /// - Parameter prefix: What stands in front of its names; nil where there is none.
  func names(beneath prefix: String?, in weights: WeightFolder) -> [String] {
    guard let prefix else { return [] }
    return weights.names.filter {
      $0.hasPrefix(prefix) && format.name(ofPublic: $0) == nil
    }
  }

  /// Whether it is a file of tensors alone, whose names leave the number of heads open.
  var isOfAuthors: Bool {
    switch self {
    case .authorsStageOne, .authorsStageTwo: true
    case .huggingFaceStageTwo, .huggingFaceRetrieval: false
    }
  }

  // MARK: What is left over

  /// Why a tensor is left over that no parameter took, in words.
  func reason(forLeaving name: String) -> String {
    let parts = name.split(separator: ".")
    func contains(_ words: String...) -> Bool { words.contains { parts.contains($0[...]) } }
    if parts.last == "position_ids" { return "positions counted up, a buffer" }
    if name.hasPrefix(Self.tiedHead) { return "the language head's output, tied to the words" }
    if contains("pooler", "seq_relationship") { return "a head of BERT's that BLIP-2 does not use" }
    if isOfAuthors, contains("opt_model", "t5_model", "llm_model") {
      return "a language model; llm.path names its own folder"
    }
    guard kind == StageTwoRecipe.name else { return "not known" }
    if contains("temp", "vision_proj", "text_proj", "itm_head") { return "a head of stage 1" }
    let isOfQFormer = contains("Qformer", "qformer", "embeddings")
    let isOfText =
      contains("cls", "word_embeddings", "position_embeddings", "intermediate")
      || contains("output") && !contains("attention", "crossattention")
    return isOfQFormer && isOfText ? "the Q-Former's text half, which stage 2 has not" : "not known"
  }

  /// How the names of a head's output begin, which is tied to the word embeddings.
  static let tiedHead = "Qformer.cls.predictions.decoder."
}
