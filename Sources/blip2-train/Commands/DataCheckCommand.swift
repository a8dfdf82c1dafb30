import ArgumentParser
import Configuration
import Datasets
import Files
import Foundation
import Recipes

/// `blip2-train data check`.
struct DataCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Read every image and caption of a recipe once and say what is there.",
    discussion: """
      Prints, for each source, pairs, caption lengths in words and tokens, image sizes, and what \
      cannot be read; of shards also what belongs to no sample. Warns where training mirrors images \
      and captions say left or right. Exit code 1 if the unreadable \
      images are more than data.maximumBadShare, or a shard is damaged.
      """)

  @Option(help: "The recipe.")
  var config: String

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: "Set a key of the recipe, as in data.train.path=mine.jsonl. May be repeated.")
  var overrides: [String] = []

  func run() throws { try check(imageTextRecipe(ofFile: config, overrides)) }

  private func check<R: ImageTextRecipe>(_ recipe: R.Type) throws {
    let whole = try R.load(
      URL(fileURLWithPath: config), overrides: overrides, note: StandardError.write)
    try whole.checkData()
    let configuration = whole.data
    let tokens = try R.captionReader(whole)
    let train = configuration.train.locations.map(\.location)
    let sources =
      train.map { ("train", $0) }
      + (configuration.validation.location.map { [("validation", $0)] } ?? [])
    guard !sources.isEmpty else {
      throw Failure(
        "\(config): names no data; set data.train.path, data.train.mix or data.validation.path")
    }
    var problems: [String] = []
    for (name, location) in sources {
      let report = try DatasetReport(
        try location.open(toleratesDamage: true), decoder: ImageDecoder(configuration),
        tokens: tokens)
      print("\(name): \(FileName.displayed(location.path))")
      print(report)
      let flips = configuration.augmentation.flipProbability
      if name == "train", flips > 0, report.sidedCaptions > 0 {
        StandardError.write(
          "warning: \(report.sidedCaptions) captions say left or right, and "
            + "data.augmentation.flipProbability is \(flips): a mirrored image makes them wrong; "
            + "set it to 0")
      }
      let share = Double(report.badImages) / Double(max(1, report.images))
      if share > configuration.maximumBadShare {
        problems.append(
          "\(location.path): more than data.maximumBadShare (\(configuration.maximumBadShare)) of "
            + "the images cannot be read; training would end with an error")
      }
      let wordless = report.findings.reduce(0) {
        [.withoutWords, .unknownWords].contains($1.kind) ? $0 + $1.count : $0
      }
      if Double(wordless) / Double(max(1, report.pairs)) > configuration.maximumBadShare {
        problems.append(
          "\(location.path): more than data.maximumBadShare (\(configuration.maximumBadShare)) of "
            + "the captions hold no word that is trained on; training would end with an error")
      }
      if report.images == 0 {
        problems.append(DatasetError.noSamples(file: location.path, report.findings).description)
      }
      if report.findings.contains(where: { $0.kind == .damagedShards }) {
        problems.append("\(location.path): shards are damaged; training would not begin")
      }
    }
    if !problems.isEmpty { throw Failure(problems.joined(separator: "\n")) }
  }
}
