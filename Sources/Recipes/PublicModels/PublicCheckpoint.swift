import BLIP2
import Checkpointing
import Configuration
import Files
import Foundation
import Layers
import PublicFormats
import Tensors
import Training
import WeightFiles

/// A public BLIP-2 in place of a checkpoint: a file of the authors' (LAVIS), or a folder of Hugging
/// Face's. Its encoder and its language model, where it has them, are read from it by the paths in its
/// recipe.
public struct PublicCheckpoint: TrainedModel {
  public let url: URL
  public let metadata: CheckpointMetadata
  /// What a person should know of how it was read.
  let notes: [String]
  let form: PublicForm
  let weights: WeightFolder
  /// Whether its word embeddings have no row for `[DEC]`.
  private let lacksDecoderRow: Bool

  /// - Throws: `ModelConfigurationError` for what is no BLIP-2, `WeightFileError`.
  public init(_ path: String) throws {
    let url = URL(fileURLWithPath: path)
    let model =
      FileSystem.isFolder(path)
      ? try PublicModelSizes(folder: url) : try PublicModelSizes(file: url)
    self.url = url
    (form, weights, notes) = (model.form, model.weights, model.notes)
    lacksDecoderRow = model.lacksDecoderRow
    metadata = try model.metadata(path: path)
  }

  public var arrays: [CheckpointArrayDescription] {
    weights.names.map { name in
      let tensor = try? weights.tensor(named: name)
      return CheckpointArrayDescription(
        path: name, shape: tensor?.shape ?? [], elementType: tensor?.form.name ?? "not read")
    }
  }

  public var parameterNames: [String] { weights.names.compactMap(form.format.name(ofPublic:)) }

  public func fingerprints(
    usedBy configuration: some RecipeConfiguration
  ) throws -> [String: String] {
    var digests = [PublicModelPath.fingerprint: try Fingerprint.ofModel(at: url)]
    if holdsEncoder {
      let heads = (configuration as? any ImageTextConfiguration)?.vision.heads
      digests["vision"] = try VisionTower.fingerprint(of: url, heads: heads)
    }
    if holdsLanguageModel { digests["llm"] = try FrozenLanguageModel.fingerprint(of: url) }
    return digests
  }

  public func load(into parameters: [NamedParameter]) throws { try read(into: parameters) }

  /// Gives parameters its values; what its format has no name for keeps its own.
  /// - Throws: `WeightFileError`, naming the tensor and both shapes; `CheckpointError` for numbers that
  ///   are not finite.
  @discardableResult func read(into parameters: [NamedParameter]) throws -> LoadReport {
    try requireTiedHead()
    let report = try form.format.load(
      into: parameters, from: weights, mayBeMissing: { !form.format.contains($0) },
      mayLackRows: { lacksDecoderRow && $0 == "qFormer.wordEmbeddings" })
    if let unsound = parameters.first(where: \.parameter.value.hasNonFinite) {
      throw CheckpointError.unusableNumbers(
        url, path: CheckpointArray.path("model", unsound.name),
        found: "numbers that are not finite (NaN or infinity)")
    }
    return report
  }

  /// Some files store the language head's output a second time.
  private func requireTiedHead() throws {
    for (ending, ours) in [
      ("weight", "qFormer.wordEmbeddings"), ("bias", "languageHead.bias"),
    ] {
      let name = PublicForm.tiedHead + ending
      guard form == .authorsStageOne, weights.contains(name) else { continue }
      let other = try weights.tensor(named: form.format.publicName(of: ours))
      let stored = try weights.tensor(named: name)
      if try !stored.hasSameBytes(as: other) && stored.floats() != other.floats() {
        throw WeightFileError.wrongKind(
          file: url.path, tensor: name,
          expected: "the numbers of \(other.name), as BLIP-2 ties them", found: "others")
      }
    }
  }
}

// MARK: What it holds

extension PublicCheckpoint {
  var holdsEncoder: Bool { !encoderNames.isEmpty }
  var holdsLanguageModel: Bool { !languageModelNames.isEmpty }

  /// The image encoder's tensors.
  private var encoderNames: [String] { form.names(beneath: form.visionPrefix, in: weights) }

  private var languageModelNames: [String] {
    form.names(beneath: form.languageModelPrefix, in: weights)
  }

  /// The tensors that nothing takes, by the reason.
  /// - Parameter unused: Those that no parameter of the trained part took; nil for those that none can.
  func leftOver(_ unused: [String]? = nil) -> [(text: String, names: [String])] {
    let others = Set(encoderNames).union(languageModelNames)
    let names = (unused ?? weights.names.filter { form.format.name(ofPublic: $0) == nil })
      .filter { !others.contains($0) }
    return Dictionary(grouping: names, by: form.reason(forLeaving:))
      .map { (text: "left over (\($0))", names: $1) }.sorted { $0.text < $1.text }
  }

  /// What a person wants to know of it, line by line.
  public var summary: [(name: String, text: String)] {
    [
      ("format", form.words),
      (
        "image encoder",
        holdsEncoder ? "in it, \(encoderNames.count) tensors" : "not in it: name it by vision.path"
      ),
    ] + (form.kind == StageTwoRecipe.name ? [("language model", languageModelWords)] : [])
  }

  private var languageModelWords: String {
    holdsLanguageModel
      ? "in it, \(languageModelNames.count) tensors" : "not in it: name it by llm.path"
  }

  /// What nothing takes, a line for each reason.
  public var leftOverLines: [String] {
    leftOver().map { "\($0.names.count) \($0.text): " + $0.names.joined(separator: ", ") }
  }
}
