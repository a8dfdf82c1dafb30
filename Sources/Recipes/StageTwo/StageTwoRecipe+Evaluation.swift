import Configuration
import Datasets
import Files
import Foundation
import LanguageModels
import Metrics
import Reporting
import Tokenizers
import Training

extension StageTwoRecipe {
  /// The outcome of a judgement, for people and for programs.
  public struct EvaluationResult {
    /// One line for each score.
    public let text: String
    let values: NamedValues
    let file: any TrainedModel
    /// What was said of each image.
    public let answers: [Answer]

    public struct Answer: Encodable {
      /// Like the image's path, as `FileName` has it.
      public let id: String
      public let image: String
      /// Captions or answers of people.
      public let truth: [String]
      public let text: String

      /// One JSON object.
      public var json: String {
        get throws {
          try JSONLine.text(naming: [id, image]) {
            Answer(id: $0[0], image: $0[1], truth: truth, text: text)
          }
        }
      }
    }

    /// One JSON object with the checkpoint, its step and every number.
    public var json: String { get throws { try file.json(values) } }
  }
}

/// Judges a stage-2 checkpoint on captions and on questions.
extension LoadedRecipe where R == StageTwoRecipe {
  public typealias EvaluationResult = StageTwoRecipe.EvaluationResult

  /// Captions images and scores them: BLEU, ROUGE-L and CIDEr.
  /// - Parameters:
  ///   - file: A list, or a folder of images with texts beside them; nil for the recipe's held-out
  ///     images.
  ///   - imageFolder: What its image paths are relative to; nil for the list's own folder.
  /// - Throws: `DatasetError`, `RunError.noImages`, ``Interrupted``.
  public func judgeCaptions(
    _ file: URL?, imageFolder: URL?, _ question: StageTwoRecipe.Question,
    report: @escaping (String) -> Void
  ) throws -> EvaluationResult {
    let items = try items(file, imageFolder: imageFolder, report: report)
    var texts: [(item: CaptionEvaluationSet.Item, text: String)] = []
    _ = try describe(items.map(\.image.path), question, report: report) { place, said in
      texts.append((items[place], said.first ?? ""))
    }
    let scores = CaptionScores(
      references: texts.map(\.item.references), candidates: texts.map(\.text))
    let values =
      scores.bleu.enumerated().map { (name: "bleu\($0.offset + 1)", value: $0.element) }
      + [("rougeL", scores.rougeL), ("cider", scores.cider)]
    return judgement(
      values, kind: "caption",
      answers: texts.map {
        .init(
          id: $0.item.id, image: $0.item.image.path, truth: $0.item.references, text: $0.text)
      })
  }

  private func items(
    _ file: URL?, imageFolder: URL?, report: (String) -> Void
  ) throws -> [CaptionEvaluationSet.Item] {
    if let file, !FileSystem.isFolder(file.path) {
      let set = try CaptionEvaluationSet(file: file, imageFolder: imageFolder)
      for finding in set.findings {
        report("left out, \(finding.kind.rawValue): \(finding.count)")
      }
      return set.items
    }
    let folder = file.map { SourceLocation(path: $0.path, imageFolder: imageFolder?.path) }
    guard let dataset = try folder?.open() ?? recipe.data.validation else {
      throw ConfigurationError.invalidValue(
        field: "data.validation.path", found: "null", expected: DataSourceWords.kinds,
        advice: "name one by --set data.validation.path=LIST, or a list by --data FILE")
    }
    try require(
      !(dataset is ShardSource), file == nil ? "data.validation.path" : "--data", found: "shards",
      expected: "a list or a folder of images",
      advice: "captions are generated from image files: unpack the shards by tar")
    return try (0..<dataset.imageCount).map { index in
      let record = try dataset.record(at: index)
      return .init(
        image: URL(fileURLWithPath: record.imagePath), references: record.captions,
        id: record.givenId ?? String(index))
    }
  }

  /// Answers questions about images and scores them by VQA's rule.
  /// - Parameters:
  ///   - template: What stands around a question, with `{}` for it.
  /// - Throws: `DatasetError`, `RunError.noImages`, ``Interrupted``.
  public func judgeAnswers(
    _ questions: QuestionSet, template: String, options: GenerationOptions,
    report: @escaping (String) -> Void
  ) throws -> EvaluationResult {
    var said: [(item: QuestionSet.Item, text: String)] = []
    // The tokens that a prompt may have.
    let room =
      recipe.languageModel.model.maximumLength.map {
        $0 - recipe.qFormer.queryCount - options.maximumNewTokens
      } ?? StageTwoRecipe.longestPrompt
    let asked = questions.items.compactMap { item -> (item: QuestionSet.Item, words: String)? in
      let words = template.replacingOccurrences(
        of: "{}", with: CaptionText.cleanedQuestion(item.question))
      guard recipe.texts.beginning(words).count > room else { return (item, words) }
      report("skipped question \(item.id): longer than the \(room) tokens that there is room for")
      return nil
    }
    _ = try describe(
      asked.map(\.item.image.path), prompts: asked.map(\.words),
      StageTwoRecipe.Question(options: options),
      report: report
    ) { place, texts in said.append((asked[place].item, texts.first ?? "")) }
    let judged = said.filter { !$0.item.answers.isEmpty }
    var values: NamedValues = []
    if !judged.isEmpty {
      let scores = AnswerScores(
        answers: judged.map(\.item.answers), predictions: judged.map(\.text))
      values = [("accuracy", scores.accuracy)]
    }
    return judgement(
      values, kind: "question",
      answers: said.map {
        .init(id: $0.item.id, image: $0.item.image.path, truth: $0.item.answers, text: $0.text)
      })
  }

  private func judgement(
    _ values: NamedValues, kind: String, answers: [EvaluationResult.Answer]
  ) -> EvaluationResult {
    let heading =
      "\(file.url.path), step \(file.metadata.step), \(Quantity.of(answers.count, kind))"
    let text = values.isEmpty ? heading : "\(heading), scores in %\n" + ScoreTable.text(values)
    return EvaluationResult(
      text: text, values: values + [(kind + "s", Double(answers.count))], file: file,
      answers: answers)
  }
}
