import ArgumentParser
import Configuration
import Datasets
import Files
import Foundation
import Recipes

/// `blip2-train data check`.
struct DataCheckCommand: PrintingCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Read every image and caption of a recipe once and say what is there.",
    discussion: """
      Prints, for each source, pairs, caption lengths in words and tokens, image sizes, and what \
      cannot be read; of shards also what belongs to no sample. Warns where training mirrors images \
      and captions say left or right. Exit code 1 if the unreadable \
      images are more than data.maximumBadShare, or a shard is damaged.
      """)

  @OptionGroup var options: RecipeOptions

  func run() throws { try check(options.recipe()) }

  private func check<R: ImageTextRecipe>(_ recipe: R.Type) throws {
    let whole = try options.load(R.self)
    try whole.checkData()
    let configuration = whole.data
    let tokens = try R.captionReader(whole)
    let train = configuration.train.locations.map(\.location)
    let sources =
      train.map { ("train", $0) }
      + (configuration.validation.location.map { [("validation", $0)] } ?? [])
    guard !sources.isEmpty else {
      throw Failure(
        "\(options.config): names no data; set data.train.path, data.train.mix or data.validation.path"
      )
    }
    var problems: [String] = []
    for (name, location) in sources {
      let report = try DatasetReport(
        try location.open(toleratesDamage: true), decoder: ImageDecoder(configuration),
        tokens: tokens)
      print("\(name): \(FileName.displayed(location.path))")
      print(report)
      if name == "train" { warnOfFlips(report, configuration.augmentation.flipProbability) }
      problems += Self.problems(of: report, location.path, configuration.maximumBadShare)
    }
    if !problems.isEmpty { throw Failure(problems.joined(separator: "\n")) }
  }

  private func warnOfFlips(_ report: DatasetReport, _ probability: Float) {
    guard probability > 0, report.sidedCaptions > 0 else { return }
    StandardError.write(
      "warning: \(report.sidedCaptions) captions say left or right, and "
        + "data.augmentation.flipProbability is \(probability): a mirrored image makes them wrong; "
        + "set it to 0")
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
