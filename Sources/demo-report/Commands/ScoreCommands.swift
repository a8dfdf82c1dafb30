import ArgumentParser
import Files

/// `demo-report captions`.
struct CaptionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "captions",
    abstract: "Score captions by what they say of the scenes.",
    discussion: """
      A caption is right if it tells of the same things in the same places or number, in whichever of \
      the demo's wordings; sizes and colours are scored beside.

      Example:
        blip2-train evaluate caption --checkpoint runs/b --answers captions.jsonl
        demo-report captions captions.jsonl
      """)

  @Argument(help: "The answers of evaluate caption.", completion: .file())
  var file: String

  @OptionGroup var output: ScoreOutput

  func run() throws {
    let scores = try JudgedCaptions(file: file).scores
    print(try output.text(of: scores, as: scores.table))
  }
}

/// `demo-report hard`.
struct HardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hard",
    abstract: "Score the list whose images differ in one word, within its groups.",
    discussion: """
      An image is right if its own text is ranked before the others of its group, and a text likewise; \
      what is not in a ranking comes last, and a tie is wrong. A group is right if all of it is.

      Example:
        blip2-train evaluate retrieval --checkpoint runs/a --answers hard.jsonl \\
          --set data.validation.path=Data/demo/heldout-hard.jsonl
        demo-report hard hard.jsonl --data Data/demo/heldout-hard.jsonl
      """)

  @Argument(help: "The answers of evaluate retrieval.", completion: .file())
  var file: String

  @Option(help: "The list, for the order of its images.", completion: .file())
  var data: String

  @Option(help: "Images of a group.")
  var groupSize = 4

  @OptionGroup var output: ScoreOutput

  func validate() throws {
    guard groupSize > 1 else {
      throw ValidationError("--group-size: expected at least 2, found \(groupSize)")
    }
  }

  func run() throws {
    let groups = try HardGroup.groups(Rankings(file: file), list: data, size: groupSize)
    let scores = GroupScores(groups, groupSize: groupSize)
    print(try output.text(of: scores, as: scores.table))
  }
}

/// `demo-report vqa`.
struct QuestionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vqa",
    abstract: "Score answers to questions beside always giving the most frequent answer.",
    discussion: """
      With --questions also for each kind of question.

      Example:
        blip2-train evaluate vqa --checkpoint runs/b --questions Data/demo/questions.json \\
          --answers answers.jsonl
        demo-report vqa answers.jsonl --questions Data/demo/questions.json
      """)

  @Argument(help: "The answers of evaluate vqa.", completion: .file())
  var file: String

  @Option(help: "The questions, JSON, for their kinds.", completion: .file())
  var questions: String?

  @OptionGroup var output: ScoreOutput

  func run() throws {
    let scores = QuestionScores(try QuestionAnswer.read(file, questions: questions))
    print(try output.text(of: scores, as: scores.table))
  }
}

/// How scores are handed over.
struct ScoreOutput: ParsableArguments {
  @Flag(help: "Print one JSON object.")
  var json = false

  func text(of scores: some Encodable, as table: ScoreTable) throws -> String {
    json ? try JSONLine.text(scores) : table.text
  }
}
