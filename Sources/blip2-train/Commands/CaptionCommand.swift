import ArgumentParser
import Datasets
import Files
import Recipes
import Reporting
import Training

/// `blip2-train caption`.
struct CaptionCommand: ProfiledCommand, ResultCommand {
  static let configuration = CommandConfiguration(
    commandName: "caption",
    abstract: "Caption images with a stage-1 checkpoint's own language head.",
    discussion: """
      Prints a line for each image: its path, a tab, the caption; with --json an object, {"image", \
      "caption"}. An image that cannot be read is named on standard error and passed over; the exit code \
      is 1 only where none can be read.

      Examples:
        blip2-train caption --checkpoint Checkpoints/demo-stage1 \\
          --image cat.jpg dog.png
        blip2-train caption --checkpoint runs/a/best --image *.jpg --beams 1 --json
      """)

  @OptionGroup var model: ModelOptions

  @Option(
    parsing: .upToNextOption, help: "Images: JPEG, PNG or WebP files, or folders of them.",
    completion: .file())
  var image: [String]

  @Option(help: "Beams of the search; 1 is greedy (default: 3).")
  var beams: Int?

  @Option(
    help: """
      Tokens before which a caption cannot end, [DEC] among them: 2 as in validation; the original's \
      own captions have 10 or more.
      """)
  var minTokens = 2

  @Option(help: "Tokens at most, [DEC] and [SEP] among them.")
  var maxTokens = 30

  @OptionGroup var sampling: SamplingArguments

  @OptionGroup var result: ResultOptions

  func validate() throws {
    try sampling.refuse(beams: beams)
    try ValidationError.check("--beams", beams, in: 1...64)
    try ValidationError.check("--max-tokens", maxTokens, in: 2...65_536)
    if !(0...maxTokens).contains(minTokens) {
      throw ValidationError(
        "--min-tokens: expected 0 to --max-tokens \(maxTokens), found \(minTokens)")
    }
  }

  @OptionGroup var profiling: ProfileOptions

  func work() throws {
    let image = try ImagePaths.files(self.image)
    StopRequest.listen()
    let checkpoint = try model.load(StageOneRecipe.self)
    var options = CaptionOptions(
      beams: beams ?? 3, minimumLength: minTokens, maximumLength: maxTokens)
    options.sampling = sampling.options
    let skipped = try checkpoint.caption(image, options: options, report: StandardError.write) {
      path, caption in
      if result.json {
        StandardOutput.printJSON(
          try JSONLine.text(naming: [path]) { ["image": $0[0], "caption": caption] })
      } else {
        print("\(path.withoutControlCharacters)\t\(caption.withoutControlCharacters)")
      }
    }
    StandardError.write(skipped: skipped, of: image.count)
  }
}
