import Foundation
import Layers
import PublicFormats
import VisionEncoders
import WeightFiles

/// A model in the authors' names (LAVIS).
struct AuthorsExport<R: ExportableRecipe> {
  private let recipe: R
  private let settings: ExportSettings

  init(_ recipe: R, _ settings: ExportSettings) {
    (self.recipe, self.settings) = (recipe, settings)
  }

  /// Writes `checkpoint.safetensors`, and `checkpoint.pth` as their code loads it.
  /// - Returns: What is left out, in words.
  func write(to folder: URL) throws -> [String] {
    var tensors = recipe.authorsFormat.tensors(
      of: recipe.bridge.namedParameters, precision: settings.precision)
    var notes: [String] = []
    var heads = AuthorsNotes(heads: recipe.qFormerSizes.heads, encoderHeads: nil)
    if !recipe.tower.isFrozen && settings.parts == .all {
      if let encoder = encoderTensors {
        tensors.merge(encoder) { $1 }
        heads.encoderHeads = recipe.tower.encoder.plain?.configuration.heads
      } else {
        notes.append(
          "the image encoder was trained and is left out, as the authors' has another shape: write it "
            + "by --parts vision")
      }
    }
    try SafetensorsWriter.write(
      tensors, metadata: try heads.metadata,
      to: folder.appendingPathComponent("checkpoint.safetensors"))
    try PyTorchWriter.write(
      tensors, beneath: "model", to: folder.appendingPathComponent("checkpoint.pth"))
    return notes
  }

  /// Nil for an encoder that is not of EVA's shape.
  private var encoderTensors: [String: WrittenTensor]? {
    guard let encoder = recipe.tower.encoder.plain, !recipe.tower.output.appliesFinalNorm else {
      return nil
    }
    var format = encoder.authorsFormat
    format.prefix = "visual_encoder."
    return format.tensors(of: encoder.namedParameters, precision: settings.precision)
  }
}
