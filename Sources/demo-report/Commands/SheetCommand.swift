import ArgumentParser
import Files
import Foundation

/// `demo-report sheet`.
struct SheetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sheet",
    abstract:
      "Write one HTML file with the scores and images beside what the model generates for them.",
    discussion: """
      The file holds its images and needs no other. It has a section for each file that is given.

      Example:
        demo-report sheet --captions captions.jsonl --retrieval retrieval.jsonl --hard hard.jsonl \\
          --questions Data/demo/questions.json --answers answers.jsonl --output report.html
      """)

  @Option(help: "The answers of evaluate caption.", completion: .file())
  var captions: String?

  @Option(help: "The answers of evaluate retrieval.", completion: .file())
  var retrieval: String?

  @Option(help: "The answers of evaluate retrieval on the hard list.", completion: .file())
  var hard: String?

  @Option(
    help: "The hard list (default: groups in the order of the answers).", completion: .file())
  var hardData: String?

  @Option(help: "Images of a group of the hard list.")
  var groupSize = 4

  @Option(help: "The questions that were asked, JSON.", completion: .file())
  var questions: String?

  @Option(help: "The answers of evaluate vqa.", completion: .file())
  var answers: String?

  @Option(help: "The folder of the images, where they are not where the answers name them.")
  var images: String?

  @Option(help: "The HTML file; one that is there is replaced.", completion: .file())
  var output: String

  @Option(help: "Held-out images to show, at even distances.")
  var count = 36

  @Option(help: "Groups of the hard list to show, at even distances.")
  var groups = 6

  @Option(help: "The page's heading.")
  var title = "What the model sees"

  func validate() throws {
    guard captions != nil || retrieval != nil || hard != nil || answers != nil else {
      throw ValidationError(
        "there is nothing to show: give --captions, --retrieval, --hard or --answers")
    }
    guard groupSize > 1 else {
      throw ValidationError("--group-size: expected at least 2, found \(groupSize)")
    }
    for (name, value) in [("--count", count), ("--groups", groups)] where value < 0 {
      throw ValidationError("\(name): expected 0 or more, found \(value)")
    }
  }

  func run() throws {
    let results = try Results(
      captions: captions.map(JudgedCaptions.init),
      rankings: retrieval.map(Rankings.init),
      groups: hard.map {
        try HardGroup.groups(Rankings(file: $0), list: hardData, size: groupSize)
      },
      groupSize: groupSize,
      answers: answers.map { try QuestionAnswer.read($0, questions: questions) })
    let sheet = Sheet(
      title: title, results: results, images: ImageFiles(folder: images), count: count,
      groupCount: groups)
    try write(try sheet.page().text)
  }

  private func write(_ page: String) throws {
    do {
      try AtomicFile.write(page.utf8, to: output)
    } catch let failure as SystemFailure {
      throw InputError(file: output, problem: "cannot be written: \(failure.reason)")
    }
  }
}
