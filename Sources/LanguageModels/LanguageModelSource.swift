import Foundation
import Layers
import PublicFormats
import Tensors
import WeightFiles

/// Where a language model is read from: a Hugging Face folder, by itself or within a whole model's, or a
/// GGUF file.
public struct LanguageModelSource {
  /// The folder or the file.
  public let url: URL
  public let weights: WeightFolder
  /// What the configuration calls the family.
  let modelType: String
  /// Nil for a GGUF file, whose configuration is among its notes.
  let configuration: ModelConfigurationFile?
  /// Whether the folder is that of a whole model, whose names have `language_model.` in front.
  public let isPart: Bool
  /// What whole models call themselves that have a language model in their `text_config`.
  private static let wholeModels: Set = ["blip-2"]

  /// - Throws: `ModelConfigurationError` or `WeightFileError`.
  public init(_ url: URL) throws {
    self.url = url
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
      throw ModelConfigurationError.bad(
        file: url.path,
        reason: "not found; expected a folder with config.json and weights, or a GGUF file")
    }
    guard isFolder.boolValue else {
      weights = try WeightFolder(url)
      guard let gguf = weights.gguf else {
        throw ModelConfigurationError.bad(
          file: url.path,
          reason:
            "expected a folder with config.json and weights, or a GGUF file; weights alone do "
            + "not say what model they belong to")
      }
      configuration = nil
      isPart = false
      modelType = try gguf.fields.string("general.architecture")
      return
    }
    let file = try ModelConfigurationFile(url.appendingPathComponent("config.json"))
    let outer = try file.modelType()
    isPart = LanguageModelSource.wholeModels.contains(outer)
    modelType = try isPart ? file.decoded(WholeModel<ModelType>.self).text.modelType : outer
    configuration = file
    weights = try WeightFolder(url)
  }

  /// The file that messages about the configuration name.
  var configurationFile: String { configuration?.url.path ?? url.path }

  private struct ModelType: Decodable {
    let modelType: String

    enum CodingKeys: String, CodingKey { case modelType = "model_type" }
  }

  private struct WholeModel<Text: Decodable>: Decodable {
    let text: Text

    enum CodingKeys: String, CodingKey { case text = "text_config" }
  }

  /// The section of `config.json` that describes the language model.
  /// - Throws: `ModelConfigurationError.bad`, naming the key; also for a GGUF file.
  func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value {
    guard let configuration else {
      throw ModelConfigurationError.bad(
        file: url.path,
        reason: "general.architecture: expected llama, found \(modelType); other families are read "
          + "from folders")
    }
    return try isPart
      ? configuration.decoded(WholeModel<Value>.self).text : configuration.decoded(type)
  }

  /// The tokens that the model predicts among, read without its weights; nil where the configuration
  /// leaves it to the family.
  /// - Throws: `ModelConfigurationError` or `WeightFileError`.
  public func vocabularySize() throws -> Int? {
    if let gguf = weights.gguf { return try gguf.shape(of: "token_embd.weight").first }
    let size = try decoded(Vocabulary.self).size
    return size.flatMap { (1...1 << 22).contains($0) ? $0 : nil }
  }

  private struct Vocabulary: Decodable {
    let size: Int?

    enum CodingKeys: String, CodingKey { case size = "vocab_size" }
  }

  /// - Throws: `ModelConfigurationError.bad` where a configuration has a problem.
  func require(_ problem: String?) throws {
    if let problem {
      throw ModelConfigurationError.bad(file: configurationFile, reason: problem)
    }
  }

  /// What stands in front of the language model's names.
  private var prefix: String { isPart ? "language_model." : "" }

  /// The memory that the language model's weights want, in bytes: as they are stored, or in two bytes
  /// a number where they are multiplied in bfloat16. An image encoder beside them does not count.
  public func weightBytes(in precision: ProductPrecision) -> Int {
    // A tensor that is not read, of a kind unknown here, does not count.
    weights.names.lazy.filter { $0.hasPrefix(prefix) }.reduce(0) { sum, name in
      guard let tensor = try? weights.tensor(named: name) else { return sum }
      let isRounded = precision == .bfloat16 && tensor.shape.count == 2
      return sum + (isRounded ? 2 * tensor.shape.reduce(1, *) : tensor.bytes.count)
    }
  }

  /// The name that one of several has in the files; nil where none is there.
  func storedName(_ candidates: [String]) -> String? {
    candidates.map { prefix + $0 }.first(where: weights.contains)
  }

  /// Freezes parameters with the values of stored tensors, in the form in which they are stored.
  /// - Throws: `WeightFileError.missingTensor` and `.wrongShape`, which names both shapes.
  func load(into parameters: [NamedParameter], _ format: PublicFormat) throws {
    var format = format
    format.prefix = prefix
    try format.load(into: parameters, from: weights, freezing: true)
  }
}
