import ArgumentParser
import Datasets
import Files
import Foundation
import LanguageModels
import Recipes
import Reporting
import Training

/// `blip2-train evaluate caption`.
struct EvaluateCaptionCommand: ProfiledCommand, ResultCommand {
  static let configuration = CommandConfiguration(
    commandName: "caption",
    abstract: "Caption images with a stage-2 checkpoint and score them: BLEU, ROUGE-L, CIDEr.",
    discussion: """
      Without --data the recipe's held-out images are taken. --data reads every list that training \
      does (JSON, JSON lines, CSV, TSV, COCO's annotations, and of Karpathy's file the test split), or \
      a folder of images with texts beside them.

      Example:
        blip2-train evaluate caption --checkpoint runs/b \\
          --data captions_val2014.json --images val2014
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: "The list or folder of images with their captions.", completion: .file())
  var data: String?

  @Option(help: "The folder of the images, where it is not the file's.")
  var images: String?

  @Option(help: "Words to begin with (default: those of the training).")
  var prompt: String?

  @Option(help: "Show the truth and the caption of this many images side by side.")
  var show = 0

  @OptionGroup var generation: GenerationArguments
  @OptionGroup var output: JudgementOutput
  var result: ResultOptions { output.result }

  @OptionGroup var profiling: ProfileOptions

  func work() throws {
    StopRequest.listen()
    try output.check()
    let checkpoint = try model.load(StageTwoRecipe.self, reading: data == nil ? [.validation] : [])
    let question = StageTwoRecipe.Question(prompt: prompt, options: try generation.options())
    let scores = try checkpoint.judgeCaptions(
      data.map(dataURL), imageFolder: images.map(dataURL), question, report: StandardError.write)
    if show > 0 && !result.json { print(sideBySide(scores.answers) + "\n") }
    try output.write(scores)
  }

  /// Images at even distances, since lists are often sorted.
  private func sideBySide(_ answers: [StageTwoRecipe.EvaluationResult.Answer]) -> String {
    var table = TextTable(.left, .left, .left, header: ["image", "truth", "caption"])
    for answer in answers.spread(show) {
      table.add(
        URL(fileURLWithPath: answer.image).lastPathComponent, answer.truth.first ?? "", answer.text)
    }
    return table.description
  }
}

/// `blip2-train evaluate vqa`.
struct EvaluateQuestionsCommand: ProfiledCommand, ResultCommand {
  static let configuration = CommandConfiguration(
    commandName: "vqa",
    abstract: "Answer questions about images with a stage-2 checkpoint: VQA accuracy.",
    discussion: """
      --questions reads VQA's questions file, with its answers in --annotations, or one list of \
      {"image": …, "question": …, "answer": [ … ]}. Without answers, --answers still writes what was \
      generated.

      Example:
        blip2-train evaluate vqa --checkpoint runs/b --questions questions.json \\
          --annotations annotations.json --images val2014
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: "The questions: VQA's file, or a list of any kind.", completion: .file())
  var questions: String

  @Option(help: "The answers, JSON, where they are a file of their own.", completion: .file())
  var annotations: String?

  @Option(help: "The folder of the images, where it is not the file's.")
  var images: String?

  @Option(help: "What stands around a question, with {} for it.")
  var prompt = "Question: {} Short answer:"

  @OptionGroup var generation: GenerationArguments
  @OptionGroup var output: JudgementOutput
  var result: ResultOptions { output.result }

  func validate() throws {
    guard prompt.contains("{}") else {
      throw ValidationError("--prompt: expected {} where the question goes, found \(prompt)")
    }
  }

  @OptionGroup var profiling: ProfileOptions

  func work() throws {
    StopRequest.listen()
    try output.check()
    let set = try QuestionSet(
      questions: dataURL(questions), annotations: annotations.map(dataURL),
      imageFolder: images.map(dataURL))
    let checkpoint = try model.load(StageTwoRecipe.self)
    let scores = try checkpoint.judgeAnswers(
      set, template: prompt,
      options: try generation.options(usual: (10, checkpoint.answerLengthPenalty)),
      report: StandardError.write)
    try output.write(scores)
  }
}

/// A path of data, from the root on: Foundation knows no folder whose name is not UTF-8 as the process's
/// own.
private func dataURL(_ path: String) -> URL { URL(fileURLWithPath: FilePath.absolute(path)) }

/// How a judgement is handed over.
struct JudgementOutput: ParsableArguments {
  @OptionGroup var result: ResultOptions

  @Option(
    help: """
      Write what was generated for each image, or the nearest of each image and text, to this file: a \
      JSON object a line.
      """)
  var answers: String?

  @Flag(help: "Replace whatever file lies at --answers.")
  var force = false

  /// Refuses a file for the answers where something else lies, or that cannot be written, before the
  /// work is done.
  func check() throws {
    guard let answers else { return }
    try KeyedError.naming("--answers") {
      try OutputPath.checkFile(answers, force: force) { beginning in
        beginning.starts(with: "{\"id\":".utf8)
      }
    }
  }

  func write(_ result: StageTwoRecipe.EvaluationResult) throws {
    try write(
      text: result.text, json: try result.json, answers: { try result.answers.map { try $0.json } })
  }

  /// The result comes first: whatever becomes of the file, it is not lost.
  /// - Parameter lines: Called only where a file is asked for.
  func write(text: String, json: String, answers lines: () throws -> [String]) throws {
    if result.json { StandardOutput.printJSON(json) } else { print(text) }
    guard let answers else { return }
    let lines = try lines().map { $0 + "\n" }
    try KeyedError.naming("--answers") { try AtomicFile.write(lines.joined().utf8, to: answers) }
  }
}
