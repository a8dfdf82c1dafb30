import ArgumentParser
import Configuration
import Datasets
import Files
import Foundation
import Recipes
import Reporting

/// `blip2-train data check`.
struct DataCheckCommand: ResultCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Read every image and caption of a recipe, or of a path, once and say what is there.",
    discussion: """
      Prints, for each source, pairs, caption lengths in words and tokens, image sizes, and what \
      cannot be read; of shards also what belongs to no sample. Names pairs that a source has twice, and \
      held-out images that are in training too, by the bytes of their files. Warns where training \
      mirrors images and captions say left or right. Exit code 1 if the unreadable \
      images are more than data.maximumBadShare, or a shard is damaged.

      Examples:
        blip2-train data check my/images
        blip2-train data check --config my.yaml --json
      """)

  @Argument(
    help: "A list, a folder of images, or shards, in place of a recipe; see \"data --help\".",
    completion: .file())
  var path: String?

  @Option(help: "The recipe.", completion: .file())
  var config: String?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: "Set a key of the recipe, as in data.train.path=mine.jsonl. May be repeated.")
  var overrides: [String] = []

  @OptionGroup var result: ResultOptions
  private var json: Bool { result.json }

  func validate() throws {
    if (path == nil) == (config == nil) {
      throw ValidationError(
        "expected a path or --config, found \(path == nil ? "neither" : "both")")
    }
  }

  func run() throws {
    if let path {
      var configuration = try ConfigurationLoader.load(
        StageOneRecipe.Configuration(), overrides: overrides)
      configuration.data.train.path = path
      return try check(StageOneRecipe.self, configuration)
    }
    var options = RecipeOptions()
    (options.config, options.overrides) = (config ?? "", overrides)
    try check(options.recipe(), options)
  }

  private func check<R: ImageTextRecipe>(_ recipe: R.Type, _ options: RecipeOptions) throws {
    try check(recipe, options.load(R.self))
  }

  private func check<R: ImageTextRecipe>(
    _ recipe: R.Type, _ whole: R.Configuration
  ) throws {
    try whole.checkData()
    let configuration = whole.data
    let tokens = try R.captionReader(whole)
    let train = configuration.train.locations.map(\.location)
    let sources =
      train.map { ("train", $0) }
      + (configuration.validation.location.map { [("validation", $0)] } ?? [])
    guard !sources.isEmpty else {
      throw Failure(
        "\(config ?? ""): names no data; set data.train.path, data.train.mix or data.validation.path"
      )
    }
    var problems: [String] = []
    var results: [JSONReport] = []
    var trained: [DatasetReport] = []
    for (name, location) in sources {
      var report = try DatasetReport(reading: location, configuration, tokens)
      if name == "train" {
        trained.append(report)
        warnOfFlips(report, configuration.augmentation.flipProbability)
      } else {
        report.findImages(of: trained)
      }
      if !json {
        print("\(name): \(FileName.displayed(location.path))")
        print(report)
      }
      results.append(JSONReport(name, location.path, report))
      problems += Self.problems(of: report, location.path, configuration.maximumBadShare)
    }
    if json { try StandardOutput.printJSON(JSONResult(sources: results, problems: problems)) }
    if !problems.isEmpty { throw Failure(problems.joined(separator: "\n")) }
  }

  private func warnOfFlips(_ report: DatasetReport, _ probability: Float) {
    guard probability > 0, report.sidedCaptions > 0 else { return }
    StandardError.write(
      "warning: \(Quantity.of(report.sidedCaptions, "caption")) with left or right, and "
        + "data.augmentation.flipProbability is \(probability): wrong for a mirrored image; "
        + "set it to 0"
    )
  }

  /// What would keep a run from beginning, or end it.
  private static func problems(
    of report: DatasetReport, _ path: String, _ maximumBadShare: Double
  ) -> [String] {
    var problems: [String] = []
    func hold(_ count: Int, of all: Int, _ what: String) {
      guard Double(count) / Double(max(1, all)) > maximumBadShare else { return }
      problems.append(
        "\(path): more than data.maximumBadShare (\(maximumBadShare)) of the \(what); training "
          + "would end with an error")
    }
    hold(report.badImages, of: report.images, "images cannot be read")
    let wordless = report.findings.filter { [.withoutWords, .unknownWords].contains($0.kind) }
    hold(
      wordless.reduce(0) { $0 + $1.count }, of: report.pairs,
      "captions hold no word that is trained on")
    if report.images == 0 {
      problems.append(DatasetError.noSamples(file: path, report.findings).description)
    }
    if report.findings.contains(where: { $0.kind == .damagedShards }) {
      problems.append("\(path): shards are damaged; training would not begin")
    }
    return problems
  }
}

extension DatasetReport {
  /// Reads a source, and says how far it has come.
  fileprivate init(
    reading location: SourceLocation, _ configuration: DataConfiguration,
    _ tokens: @escaping (String) -> CaptionTokens
  ) throws {
    let source = try location.open(toleratesDamage: true)
    let progress = WorkProgress(source.imageCount, "images")
    defer { progress.finish() }
    try self.init(
      source, decoder: ImageDecoder(configuration), tokens: tokens,
      onProgress: progress.advance(to:))
  }
}

/// What `--json` prints.
private struct JSONResult: Encodable {
  let sources: [JSONReport]
  /// What would keep a run from beginning, or end it.
  let problems: [String]
}

private struct JSONReport: Encodable {
  struct Summary: Encodable {
    let minimum, median, maximum: Int
    let mean: Double

    init?(_ summary: DatasetReport.Summary?) {
      guard let summary else { return nil }
      (minimum, median, maximum) = (summary.minimum, summary.median, summary.maximum)
      mean = summary.mean
    }
  }

  struct Finding: Encodable {
    let kind: String
    let count: Int
    let examples: [String]
  }

  /// `train` or `validation`.
  let part: String
  let path: String
  let pairs, images, badImages, duplicateCaptions, sidedCaptions: Int
  let captionsPerImage, captionWords, captionTokens, imageWidths, imageHeights: Summary?
  let formats: [String: Int]
  let firstBadImages: [String]
  let findings: [Finding]

  init(_ part: String, _ path: String, _ report: DatasetReport) {
    (self.part, self.path) = (part, path)
    (pairs, images, badImages) = (report.pairs, report.images, report.badImages)
    (duplicateCaptions, sidedCaptions) = (report.duplicateCaptions, report.sidedCaptions)
    captionsPerImage = Summary(report.captionsPerImage)
    (captionWords, captionTokens) = (Summary(report.captionWords), Summary(report.captionTokens))
    (imageWidths, imageHeights) = (Summary(report.imageWidths), Summary(report.imageHeights))
    formats = Dictionary(uniqueKeysWithValues: report.formats.map { ($0.key.rawValue, $0.value) })
    firstBadImages = report.firstBadImages.map(\.description)
    findings = report.findings.map {
      Finding(kind: $0.kind.rawValue, count: $0.count, examples: $0.examples)
    }
  }
}
