/// How well answers to questions about images agree with those of people: the accuracy of VQA v2
/// (Antol et al. 2015; Goyal et al. 2017).
///
/// An answer is worth `min(1, people who gave it / 3)`, as the mean over all ways to leave one
/// person out. With ten people four equal answers are worth 1, three 0.9; with three people or fewer
/// the full value cannot be reached, as in the original.
///
/// Answers are compared after the original's treatment: a model's in full (punctuation, small
/// letters, numbers, articles, contractions), people's only without punctuation, and that only
/// where they do not all agree. (The published annotations have been through the rest.)
public struct AnswerScores: Sendable {
  /// The mean over all questions, from 0 to 1.
  public let accuracy: Double
  /// The accuracy of each question, `[questions]`, from 0 to 1.
  public let itemAccuracies: [Double]

  /// - Parameters:
  ///   - answers: What people answered, as the annotations have it, `[questions][1...]`.
  ///   - predictions: The model's answers, `[questions]`.
  /// - Precondition: There are as many predictions as questions, at least one, and no question is
  ///   without answers.
  public init(answers: [[String]], predictions: [String]) {
    precondition(
      answers.count == predictions.count,
      "\(answers.count) questions with answers, \(predictions.count) predictions")
    precondition(!answers.isEmpty, "there are no answers to score")
    itemAccuracies = zip(answers, predictions).map { Self.accuracy(of: $1, among: $0) }
    accuracy = itemAccuracies.reduce(0, +) / Double(answers.count)
  }

  private static func accuracy(of prediction: String, among given: [String]) -> Double {
    precondition(!given.isEmpty, "a question has no answers")
    let prediction = Array(AnswerText.normalized(prediction).utf8)
    let differ = given.contains { !$0.utf8.elementsEqual(given[0].utf8) }
    let matches = given.filter {
      (differ ? AnswerText.withoutPunctuation($0) : $0).utf8.elementsEqual(prediction)
    }.count
    // Those who gave the answer have one match fewer among the others.
    let withOwn = min(1, Double(matches) / 3)
    let withoutOwn = min(1, Double(matches - 1) / 3)
    let sum = Double(given.count - matches) * withOwn + Double(matches) * withoutOwn
    return sum / Double(given.count)
  }
}
