import BLIP2
import Foundation
import Layers
import PublicFormats
import VisionEncoders
import WeightFiles

/// A model in the names and files of Hugging Face's transformers library.
struct HuggingFaceExport<R: ExportableRecipe> {
  private let recipe: R
  private let settings: ExportSettings
  /// What goes out beside the trained part, where all does.
  private let others: (vision: PublicVision, texts: PublicTexts)?

  /// - Parameter file: The checkpoint.
  /// - Throws: `ExportError` for what has no place there.
  init(_ recipe: R, file: String, _ settings: ExportSettings) throws {
    (self.recipe, self.settings) = (recipe, settings)
    others =
      settings.parts == .qformer
      ? nil : (try PublicVision(recipe.tower, file: file), try recipe.publicTexts())
  }

  /// Writes `model.safetensors`, in several files where it is large, and where all goes out what model and
  /// processor are read from. `config.json` comes last: without it the folder is no model.
  /// - Returns: What is left out, and what is not to the bit, in words.
  func write(to folder: URL) throws -> [String] {
    guard let others else {
      try writeWeights([:], to: folder)
      return leftOut
    }
    var vision = others.vision
    let texts = others.texts
    var format = vision.encoder.publicFormat
    format.prefix = "vision_model."
    let encoder = format.tensors(
      of: vision.encoder.namedParameters, precision: settings.precision)
    let languageModel = texts.languageModel?.tensors(settings.precision) ?? [:]
    try writeWeights(encoder.merging(languageModel) { $1 }, to: folder)
    try texts.tokenizer.write(to: folder)
    try writeProcessor(to: folder)
    if let languageModel = texts.languageModel {
      try PublicFolder.write(
        languageModel.generation, to: folder.appendingPathComponent("generation_config.json"))
    }
    try PublicFolder.write(
      configuration(texts, vision.encoder), to: folder.appendingPathComponent("config.json"))
    vision.compareNorm(recipe.qFormerSizes.visionNormEpsilon)
    return leftOut + vision.notes
  }

  private var bridge: [NamedParameter] { recipe.bridge.namedParameters }

  /// Writes the weights: the trained part's, and others.
  private func writeWeights(_ others: [String: WrittenTensor], to folder: URL) throws {
    let trained = R.publicFormat.tensors(
      of: bridge.filter { R.publicFormat.contains($0.name) }, precision: settings.precision)
    try SafetensorsWriter.write(
      trained.merging(others) { $1 }, metadata: ["format": "pt"], to: folder,
      maximumShardBytes: settings.maximumShardBytes)
  }

  /// What of the trained part has no place.
  private var leftOut: [String] {
    let names = bridge.map(\.name).filter { !R.publicFormat.contains($0) }
    let parts = Set(names.compactMap { $0.split(separator: ".").first }).sorted()
    return parts.isEmpty
      ? [] : ["\(R.publicModel) has no place for \(parts.joined(separator: ", ")): left out"]
  }

  private func writeProcessor(to folder: URL) throws {
    var images = recipe.tower.preprocessor
    images["processor_class"] = "Blip2Processor"
    try PublicFolder.write(images, to: folder.appendingPathComponent("preprocessor_config.json"))
    try PublicFolder.write(
      ["num_query_tokens": recipe.qFormerSizes.queries, "processor_class": "Blip2Processor"],
      to: folder.appendingPathComponent("processor_config.json"))
  }

  private func configuration(_ texts: PublicTexts, _ encoder: EVAViT) -> [String: Any] {
    var sizes = texts.sizes
    sizes.qFormer.sizes = recipe.qFormerSizes
    sizes.qFormer.visionWidth = encoder.width
    sizes.queries = recipe.qFormerSizes.queries
    sizes.imageToken = Int(texts.tokenizer.imageToken)
    var values = sizes.publicValues
    values["architectures"] = [R.publicModel]
    values["torch_dtype"] = settings.precision.publicName
    var vision = encoder.publicConfiguration
    vision["architectures"] = nil
    values["vision_config"] = vision
    if let languageModel = texts.languageModel {
      values["text_config"] = languageModel.configuration
      values["use_decoder_only_language_model"] = languageModel.isDecoder
    }
    return values
  }
}

extension WrittenTensor.Precision {
  /// PyTorch's name.
  fileprivate var publicName: String {
    switch self {
    case .float32: "float32"
    case .float16: "float16"
    case .bfloat16: "bfloat16"
    }
  }
}
