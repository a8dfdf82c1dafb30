/// The captions of a file beside their truth.
struct JudgedCaptions {
  struct Item {
    let image: String
    let text: String
    /// In words.
    let truth: String
    let judgement: CaptionJudgement
  }

  /// In the order of the file.
  let items: [Item]

  var scores: CaptionScores { CaptionScores(items.map(\.judgement)) }

  /// - Parameter file: The answers of `evaluate caption`.
  /// - Throws: ``InputError``, also for a truth that is none of the demo's captions.
  init(file: String) throws {
    let answers = try InputFile(path: file).records(AnswerLine.self).map { answer in
      guard let truth = answer.record.truth.first else {
        throw answer.error(field: "truth", "expected a caption, found none")
      }
      guard let caption = SceneCaption(truth) else {
        throw answer.error(field: "truth", "expected a caption of the demo, found \"\(truth)\"")
      }
      return (record: answer.record, words: truth, caption: caption)
    }
    let vocabulary = Set(answers.flatMap(\.caption.nouns))
    items = answers.map { answer in
      Item(
        image: answer.record.image, text: answer.record.text, truth: answer.words,
        judgement: CaptionJudgement(
          answer.record.text, truth: answer.caption, vocabulary: vocabulary))
    }
  }
}
