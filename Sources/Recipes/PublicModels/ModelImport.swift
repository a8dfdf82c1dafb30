import BLIP2
import Checkpointing
import Configuration
import Files
import Foundation
import Layers
import Training
import WeightFiles

/// A public model's trained part as a checkpoint. Its encoder and its language model stay where they
/// lie; no tokenizer is read.
public enum ModelImport {
  /// - Parameters:
  ///   - path: A public model.
  ///   - overrides: Keys of its recipe, as `key=value`.
  ///   - report: Is told what was taken, what begins anew, what is left over and why.
  /// - Throws: `RunError` where encoder or language model are named that are not its own, and the errors
  ///   of the files that are read or written.
  public static func write(
    _ path: String, to output: URL, overrides: [String], report: (String) -> Void
  ) throws {
    guard let model = try TrainedModels.open(path, report: report) as? PublicCheckpoint else {
      throw ModelConfigurationError.bad(
        file: path,
        reason: "expected a public model, found a checkpoint, which is used as it is")
    }
    if model.form.kind == StageTwoRecipe.name {
      try write(model, of: StageTwoRecipe.self, to: output, overrides, report) {
        try $0.model.qFormer.check()
        let width = try model.outputs(of: "languageProjection.weight")
        let fingerprint = try $0.llm.weightsPath.map {
          try FrozenLanguageModel.fingerprint(of: URL(fileURLWithPath: $0))
        }
        return (
          StageTwoModel(
            $0.model, visionWidth: try model.outputs(of: "visionNorm.weight"),
            embeddingWidth: width, seed: $0.seed), fingerprint
        )
      }
    } else {
      try write(model, of: StageOneRecipe.self, to: output, overrides, report) {
        try $0.model.check()
        let width = try model.outputs(of: "visionNorm.weight")
        return (StageOneModel($0.model, visionWidth: width, seed: $0.seed), nil)
      }
    }
  }

  /// - Parameter parts: The trained part, new, and the language model's digest.
  private static func write<R: ImageTextRecipe>(
    _ model: PublicCheckpoint, of recipe: R.Type, to output: URL, _ overrides: [String],
    _ report: (String) -> Void,
    parts: (R.Configuration) throws -> (trained: any Module, languageModel: String?)
  ) throws {
    let configuration = try model.usableConfiguration(
      of: R.self, overrides: overrides, report: report)
    try KeyCheck.check(configuration, like: R.Configuration())
    let (trained, languageModel) = try parts(configuration)
    let parameters = RecipeModel(bridge: trained).trainedParameters
    let loaded = try model.read(into: parameters)

    let vision = configuration.vision
    var fingerprints: [String: String] = [:]
    fingerprints["llm"] = languageModel
    fingerprints["vision"] = try vision.path.map {
      try VisionTower.fingerprint(of: URL(fileURLWithPath: $0), heads: vision.heads)
    }
    try model.requireFiles(fingerprints, usedBy: configuration, advice: R.filesAdvice)
    fingerprints[PublicModelPath.fingerprint] =
      try model.fingerprints(usedBy: configuration)[PublicModelPath.fingerprint]

    var metadata = model.metadata
    metadata.configuration = try ConfigurationLoader.yaml(configuration)
    metadata.workingFolder = WorkingFolder.path
    metadata.fingerprints = fingerprints
    try CheckpointWriter.write(
      to: output, metadata: metadata,
      arrays: parameters.map { CheckpointArray("model", $0.name, $0.parameter.value) })

    let values = parameters.reduce(0) { $0 + $1.parameter.value.count }
    report("trained part: \(parameters.count) parameters, \(values) numbers")
    for line in model.summary { report("\(line.name): \(line.text)") }
    let lists = [(text: "begin anew, not in it", names: loaded.missing)]
    for list in lists + model.leftOver(loaded.unused) where !list.names.isEmpty {
      report("\(list.names.count) \(list.text): " + list.names.joined(separator: ", "))
    }
  }
}

extension PublicCheckpoint {
  /// The first extent of a parameter.
  func outputs(of name: String) throws -> Int {
    let tensor = form.format.publicName(of: name)
    let shape = try weights.shape(of: tensor)
    guard let first = shape.first, first > 0 else {
      throw WeightFileError.damagedTensor(
        file: url.path, tensor: tensor, expected: "numbers", found: "\(shape)")
    }
    return first
  }
}
