import ArgumentParser
import Datasets
import Foundation
import Training

/// `blip2-train data`.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Look at data before training on it.",
    subcommands: [DataCheckCommand.self])
}

/// `blip2-train data check`.
struct DataCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Read every picture and caption of a recipe once and say what is there.",
    discussion: """
      Prints pairs, caption lengths in words and tokens, picture sizes, and the files that \
      cannot be read. Exit code 1 if the unreadable ones are more than data.maximumBadShare.
      """)

  @Option(help: "The recipe.")
  var config: String

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: "Set a key of the recipe, as in data.train.path=mine.jsonl. May be repeated.")
  var overrides: [String] = []

  func run() throws {
    let configuration = try ConfigurationLoader.load(
      StageOneRunConfiguration(), file: URL(fileURLWithPath: config), overrides: overrides
    ).data
    try configuration.check()
    let tokenizer = try CaptionTokenizer(configuration)
    var isBeyondLimit = false
    let sources = [
      ("train", configuration.train.path, try configuration.train.dataset()),
      ("validation", configuration.validation.path, try configuration.validation.dataset()),
    ]
    for case (let name, let path?, let dataset?) in sources {
      let report = DatasetReport(dataset, decoder: ImageDecoder(configuration)) {
        tokenizer.tokens($0, maximumLength: 4096).count
      }
      print("\(name): \(path)")
      print(report)
      let share = Double(report.badImages) / Double(max(1, report.images))
      isBeyondLimit = isBeyondLimit || share > configuration.maximumBadShare
    }
    if isBeyondLimit {
      throw Failure(
        "more than data.maximumBadShare (\(configuration.maximumBadShare)) of the pictures cannot "
          + "be read; training would end with an error")
    }
  }
}
