import ArgumentParser

/// `demo-report spread`.
struct SpreadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "spread",
    abstract: "Print the mean, lowest and highest of a number over several runs.",
    discussion: """
      The files are JSON objects as --json prints them, or metrics.jsonl; of each the last object counts \
      that has the number. A dash stands for a number that no file has.

      Example:
        demo-report spread cosine.imageToText.r1 runs/seed-*/metrics.jsonl
      """)

  @Argument(help: "The number's name; within objects, names with dots between them.")
  var key: String

  @Argument(help: "A file of each run.", completion: .file())
  var files: [String]

  @Option(help: "Digits after the point.")
  var digits = 1

  func validate() throws {
    guard (0...9).contains(digits) else {
      throw ValidationError("--digits: expected 0 to 9, found \(digits)")
    }
  }

  func run() throws {
    print(try Spread(of: key, in: files).text(digits: digits))
  }
}
