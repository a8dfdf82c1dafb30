import Checkpointing
import Files
import Foundation
import Reporting
import Training

/// The `README.md` of a folder that goes out: what it is, what it was made from, how it is used.
struct ModelCard {
  private let name: String
  private let metadata: CheckpointMetadata
  private let settings: ExportSettings
  /// The model of Hugging Face's that it is.
  private let publicModel: String
  /// What it was made from.
  private let sources: [Source]
  private let data: [String]
  private let numbers: [(name: String, value: Double)]
  private let notes: [String]

  /// A part's name, where it lies, and what is said there of its licence.
  private typealias Source = (part: String, path: String, licence: String)

  init<R: ExportableRecipe>(_ loaded: LoadedRecipe<R>, _ settings: ExportSettings, notes: [String])
  {
    let recipe = loaded.recipe
    metadata = loaded.file.metadata
    self.settings = settings
    self.notes = notes
    publicModel = R.publicModel
    let configuration = recipe.configuration
    name = FilePath.name(of: configuration.outputFolder)
    var sources = recipe.sources
    let starts = [configuration.initialise.bert, configuration.initialise.from]
    sources += starts.compactMap { $0 }.map { ("Q-Former's start", $0) }
    self.sources =
      [Self.source("image encoder", configuration.vision.path)]
      + sources.map { Self.source($0.part, $0.path) }
    data = configuration.data.train.locations.map(\.location.path)
    numbers = Self.numbers(of: loaded.file)
  }

  func write(to folder: URL) throws {
    try AtomicFile.write(text.utf8, to: folder.appendingPathComponent("README.md").path)
  }

  private var text: String {
    let parts: [String?] = [
      head,
      "# \(name)",
      "\(publicModel) of BLIP-2 (Li et al. 2023), trained for \(metadata.step) steps by "
        + "blip2-train \(metadata.programVersion) (recipe \(metadata.kind)).",
      use,
      "## Made from\n\n| part | from | licence |\n|---|---|---|\n"
        + sources.map { "| \($0.part) | \($0.path) | \($0.licence) |" }.joined(separator: "\n"),
      data.isEmpty ? nil : "## Data\n\n" + data.map { "- \($0)" }.joined(separator: "\n"),
      numbers.isEmpty
        ? nil
        : "## Measured on held-out pairs\n\n| number | value |\n|---|---|\n"
          + numbers.map { "| \($0.name) | \(String(format: "%.5g", $0.value)) |" }
          .joined(separator: "\n"),
      notes.isEmpty
        ? nil
        : "## What is not as in the run\n\n" + notes.map { "- \($0)" }.joined(separator: "\n"),
      "## Recipe\n\n```yaml\n\(metadata.configuration.trimmingCharacters(in: .newlines))\n```",
    ]
    return parts.compactMap { $0 }.joined(separator: "\n\n") + "\n"
  }

  private var isStageTwo: Bool { metadata.kind == StageTwoRecipe.name }

  /// What the Hugging Face Hub reads.
  private var head: String {
    // Names, since folders are nobody else's.
    let models = sources.filter { $0.part.hasSuffix("encoder") || $0.part.hasSuffix("model") }
    let names = Set(models.map { FilePath.name(of: $0.path) }).filter { !$0.contains(" ") }.sorted()
    return """
      ---
      # Choose one that the licences below allow.
      license: other
      base_model:\(names.isEmpty ? " []" : names.map { "\n- \($0)" }.joined())
      # That of the captions.
      language: en
      library_name: \(settings.format == .huggingface ? "transformers" : "lavis")
      pipeline_tag: \(isStageTwo ? "image-to-text" : "feature-extraction")
      tags:
      - image-to-text
      - blip-2
      ---
      """
  }

  /// How it is loaded.
  private var use: String? {
    switch (settings.format, settings.parts) {
    case (.huggingface, .all):
      let ask =
        isStageTwo
        ? "text=\"\", return_tensors=\"pt\")\nprint(processor.batch_decode(model.generate(**inputs), "
          + "skip_special_tokens=True))"
        : "text=\"a cat\", return_tensors=\"pt\")\nprint(model(**inputs).logits_per_image)"
      return """
        ## Use

        ```python
        from PIL import Image
        from transformers import AutoProcessor, \(publicModel)
        processor, model = AutoProcessor.from_pretrained("."), \(publicModel).from_pretrained(".")
        inputs = processor(images=Image.open("photo.jpg"), \(ask)
        ```
        """
    case (.lavis, _):
      return """
        ## Use

        ```python
        import torch
        state = torch.load("checkpoint.pth", weights_only=True)["model"]
        model.load_state_dict(state, strict=False)  # a model of LAVIS of the same sizes
        ```
        """
    default: return nil
    }
  }

  /// The numbers of the last validation up to the checkpoint's step, where the run's are beside it.
  private static func numbers(of file: any TrainedModel) -> [(String, Double)] {
    let folder = file.url.deletingLastPathComponent().path
    let metrics = try? RecordedMetrics(folder: folder)
    let step = Double(file.metadata.step)
    return (metrics?.series ?? [:]).sorted { $0.key < $1.key }.compactMap { name, points in
      guard name.hasPrefix("validation/"), let point = points.last(where: { $0.step <= step })
      else { return nil }
      return (String(name.dropFirst("validation/".count)), point.value)
    }
  }

  /// - Parameter path: Nil for a part that was trained from new numbers.
  private static func source(_ part: String, _ path: String?) -> Source {
    (part, path ?? "trained with it", path.map(licence) ?? "")
  }

  /// What a folder, or the folder of a file, says of its licence.
  private static func licence(at path: String) -> String {
    let folder = FileSystem.isFolder(path) ? path : FilePath.folder(of: path)
    let card = try? BoundedFile.contents(
      of: FilePath.joined(folder, "README.md"), limit: 1 << 24)
    let lines = String(decoding: card ?? [], as: UTF8.self).split(separator: "\n").prefix(100)
    if let line = lines.first(where: { $0.hasPrefix("license:") }) {
      return line.dropFirst("license:".count).trimmingCharacters(in: .whitespaces)
        + " (its README.md)"
    }
    let names = ((try? FileSystem.names(in: folder)) ?? []).sorted()
    if let name = names.first(where: { $0.lowercased().hasPrefix("licen") }) {
      return "see \(name) there"
    }
    return "not said there: see where it comes from"
  }
}
