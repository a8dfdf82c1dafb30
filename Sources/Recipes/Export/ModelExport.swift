import Files
import Foundation
import Training

/// What a run trained, as a folder that other programs read.
public enum ModelExport {
  /// Writes the folder.
  /// - Parameters:
  ///   - checkpoint: What `TrainedModels.open` takes.
  ///   - overrides: Keys of the recipe, such as `vision.path=FOLDER`.
  ///   - report: Is told what a person should know: what is left out, and what is not to the bit.
  /// - Throws: `ExportError` for what the format has no place for, `RunError` where encoder or language
  ///   model are not those of the run, and the errors of the files that are read and written.
  public static func write(
    checkpoint: String, overrides: [String] = [], settings: ExportSettings, to folder: URL,
    report: @escaping (String) -> Void
  ) throws {
    if settings.parts == .vision {
      return try VisionExport.write(
        checkpoint: checkpoint, overrides: overrides, folder: folder,
        precision: settings.precision, report: report)
    }
    let file = try TrainedModels.open(checkpoint, report: report)
    let recipes = Recipes.all.compactMap { $0 as? any ExportableRecipe.Type }
    guard let recipe = recipes.first(where: { $0.name == file.metadata.kind }) else {
      throw ExportError.wrongKind(
        file: file.url.path, found: file.metadata.kind, expected: recipes.map { $0.name })
    }
    try write(recipe, file, overrides, settings, to: folder, report)
  }

  private static func write<R: ExportableRecipe>(
    _ recipe: R.Type, _ file: any TrainedModel, _ overrides: [String], _ settings: ExportSettings,
    to folder: URL, _ report: @escaping (String) -> Void
  ) throws {
    // Weights that are multiplied in fewer bits are kept in fewer bits.
    let exact = ["precision=fp32", "vision.precision=null"]
    let loaded = try LoadedRecipe<R>(
      file, overrides: overrides + exact, reading: [], report: report)
    let write: (URL) throws -> [String]
    switch settings.format {
    case .huggingface:
      write = try HuggingFaceExport(loaded.recipe, file: file.url.path, settings).write(to:)
    case .lavis: write = AuthorsExport(loaded.recipe, settings).write(to:)
    }
    try FileSystem.createFolder(folder.path)
    let notes = try write(folder)
    for note in notes { report("note: \(note)") }
    try ModelCard(loaded, settings, notes: notes).write(to: folder)
  }
}
