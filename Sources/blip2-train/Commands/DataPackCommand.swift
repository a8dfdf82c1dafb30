import ArgumentParser
import Datasets
import Files
import Foundation
import Recipes
import Reporting
import Training

/// `blip2-train data pack`.
struct DataPackCommand: ResultCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Write any source of pairs as tar shards (WebDataset).",
    discussion: """
      Images stay as they are, byte for byte; captions and image ids read back as the same. The \
      same source gives the same bytes. Images that cannot be read are named and left out. The \
      output folder appears, with shard-000000.tar and so on, when all is written.

      Example:
        blip2-train data pack pairs.jsonl --output shards
        blip2-train stage1 --config my.yaml --set data.train.path=shards
      """)

  @Argument(help: "A list, a folder of images, or shards; see \"data --help\".")
  var source: String

  @Option(help: "The folder to write. It must not be there, or be empty.")
  var output: String

  @Option(help: "What a list's image paths are relative to, if not the list's own folder.")
  var imageFolder: String?

  @Option(help: "Samples of a shard.")
  var shardSize = 10_000

  @Option(help: "Bytes of a shard at most; a single sample may be larger.")
  var shardBytes: Int?

  @OptionGroup var result: ResultOptions

  func validate() throws {
    if output.isEmpty { throw ValidationError("--output: expected a folder, found nothing") }
    try ValidationError.check("--shard-size", shardSize, in: 1...Int.max)
    try ValidationError.check("--shard-bytes", shardBytes, in: 1...Int.max)
  }

  func run() throws {
    StopRequest.listen()
    let packer = ShardPacker(shardSize: shardSize, shardBytes: shardBytes)
    let outcome: ShardPacker.Outcome
    do {
      let pairs = try SourceLocation(path: source, imageFolder: imageFolder).open()
      let progress = WorkProgress(pairs.imageCount, "images")
      defer { progress.finish() }
      outcome = try packer.pack(
        pairs, into: URL(fileURLWithPath: FilePath.absolute(output), isDirectory: true),
        shouldStop: { StopRequest.signal != nil }, onProgress: progress.advance(to:),
        report: { result.say("skipped \($0)") })
    } catch is CancellationError {
      StandardError.write("stopped: \(output) was not written")
      throw ExitCode(128 + (StopRequest.signal ?? SIGINT))
    }
    let skipped = outcome.skipped == 0 ? "" : ", \(outcome.skipped) skipped"
    try result.show(
      naming: [output],
      text:
        "packed \(Quantity.of(outcome.images, "image")) into \(Quantity.of(outcome.shards, "shard"))"
        + "\(skipped): \(FileName.displayed(output))"
    ) {
      Packed(
        output: $0[0], images: outcome.images, shards: outcome.shards, skipped: outcome.skipped)
    }
  }

  /// What `--json` prints.
  private struct Packed: Encodable {
    let output: String
    let images, shards, skipped: Int
  }
}
