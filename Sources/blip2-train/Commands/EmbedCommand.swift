import ArgumentParser
import Datasets
import Files
import Recipes
import Reporting
import Training

/// `blip2-train embed`.
struct EmbedCommand: ProfiledCommand, ResultCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed",
    abstract: "Write the features of images and texts that a stage-1 checkpoint computes.",
    discussion: """
      For an image: the outputs of its queries and their unit projections into the common space. \
      For a text: the same of its tokens, [CLS] first. With both, as many of one as of the other, \
      also the multimodal outputs of each image with the text of its place. The cosine of image and text is \
      the largest product of a row of the image's features with the text's first row.

      .h5 holds image/, text/ and multimodal/ with embeddings and features; text rows lie end to \
      end, text/offsets says where each begins. .jsonl holds an object a line.

      An image that cannot be read is named on standard error and passed over; the exit code is 1 only \
      where none can be read.

      Examples:
        blip2-train embed --checkpoint runs/a --image *.jpg --output images.h5
        blip2-train embed --checkpoint runs/a --text "a cat" "two dogs" \\
          --output texts.jsonl
        blip2-train embed --checkpoint runs/a --image cat.jpg --text "a cat" \\
          --output pair.h5
      """)

  @OptionGroup var model: ModelOptions

  @Option(
    parsing: .upToNextOption, help: "Images: JPEG, PNG or WebP files, or folders of them.",
    completion: .file())
  var image: [String] = []

  @Option(parsing: .upToNextOption, help: "Texts.")
  var text: [String] = []

  @Option(help: "The file to write: .h5, .hdf5 or .jsonl.")
  var output: String

  @Flag(help: "Replace whatever file lies there.")
  var force = false

  func validate() throws {
    if image.isEmpty && text.isEmpty { throw ValidationError("give --image, --text or both") }
  }

  @OptionGroup var result: ResultOptions

  @OptionGroup var profiling: ProfileOptions

  func work() throws {
    let image = try ImagePaths.files(self.image)
    StopRequest.listen()
    try OutputPath.checkFile(output, force: force)
    var file = try EmbeddingFile(output)
    let checkpoint = try model.load(StageOneRecipe.self)
    let skipped = try checkpoint.embed(images: image, texts: text, report: StandardError.write) {
      try file.add($0)
    }
    try file.finish()
    StandardError.write(skipped: skipped, of: image.count)
    let parts =
      (image.isEmpty ? [] : [Quantity.of(image.count - skipped, "image")])
      + (text.isEmpty ? [] : [Quantity.of(text.count, "text")])
    try result.show(
      naming: [output],
      text: "wrote the features of \(parts.joined(separator: " and ")) to \(output)"
    ) {
      Written(output: $0[0], images: image.count - skipped, skipped: skipped, texts: text.count)
    }
  }

  /// What `--json` prints.
  private struct Written: Encodable {
    let output: String
    let images, skipped, texts: Int
  }
}
