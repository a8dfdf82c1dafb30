import ArgumentParser
import Recipes

/// `blip2-train bench images`.
struct BenchImagesCommand: ResultCommand {
  static let configuration = CommandConfiguration(
    commandName: "images",
    abstract: "Time the training image pipeline on one thread, as a loader's worker runs it.",
    discussion: """
      16 JPEG files in memory, 640 x 480 pixels of smooth noise, written here at quality 90 with \
      4:2:0 colour; each is decoded, cut by a random resized crop to 224 x 224 (bicubic), flipped \
      half of the time, normalised. The last line is the best of \(ImageBenchmark.rounds) rounds: \
      best R images/s on one core, mean file K KiB.

      Example:
        blip2-train bench images --count 300
      """)

  @Option(help: "Images in a round.")
  var count = 300

  @OptionGroup var result: ResultOptions

  func validate() throws {
    try ValidationError.check("--count", count, in: 1...1_000_000)
  }

  func run() throws {
    var benchmark = ImageBenchmark()
    benchmark.count = count
    try result.show(\.line) { try benchmark.run(report: $0) }
  }
}
