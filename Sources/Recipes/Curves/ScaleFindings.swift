import Foundation

/// What a loss says that goes from the logarithm of a number of classes down to a floor: ITC, ITG and
/// stage 2's.
struct ScaleFindings {
  /// Within this share of the whole way from an end, a loss is at it.
  static let margin = 0.05
  /// The same at a floor of 0, which losses without label smoothing come near by themselves.
  static let marginAtZero = 0.02

  private let loss: String
  private let name: String
  /// What there are `count` of.
  private let classes: String
  private let nothing: Finding.Kind
  private let learning: Finding.Kind
  private let floor: Finding.Kind
  /// What it means to be at the start, and what to do if that lasts.
  private let start: String
  private let advice: String

  private static let scales = [
    ScaleFindings(
      loss: "itc", name: "ITC", classes: "ln batch", nothing: .contrastNothing,
      learning: .contrastLearning, floor: .contrastFloor,
      start: "no pair is told from the others of its batch",
      advice: "the run has collapsed, or nothing reaches it: lower training.learningRate.peak, "
        + "lengthen warmupSteps, and see that vision.path gives different images different "
        + "features"),
    ScaleFindings(
      loss: "itg", name: "ITG", classes: "ln vocabulary", nothing: .generationNothing,
      learning: .generationLearning, floor: .generationFloor,
      start: "every word is as likely as any other",
      advice: "see that data.vocabulary is that of the texts, and raise or lower "
        + "training.learningRate.peak tenfold for some steps"),
    ScaleFindings(
      loss: "lm", name: "LM", classes: "ln vocabulary", nothing: .languageModelNothing,
      learning: .languageModelLearning, floor: .languageModelFloor,
      start: "the language model knows less than how frequent words are; what comes from the "
        + "Q-Former confuses it",
      advice: "see that llm.tokenizer belongs to llm.path and that stage1.checkpoint is not none, "
        + "and lower training.learningRate.peak"),
  ]

  static func all(_ run: RunCurves) -> [Finding] { scales.compactMap { $0.finding(run) } }

  private func finding(_ run: RunCurves) -> Finding? {
    guard let curve = run.train(loss), let scale = run.scale(loss) else { return nil }
    let progress = scale.progress(curve.level)
    let what = "\(name) \(Words.number(curve.level))"
    let top = "\(classes) = \(Words.number(scale.nothing))"
    func finding(
      _ kind: Finding.Kind, _ verdict: Finding.Verdict, _ expected: Double, _ text: String
    ) -> Finding {
      run.finding(
        kind, verdict, of: curve, value: curve.level, expected: expected, "\(what) \(text)")
    }
    // Rounding of the log, and batches whose pairs are fewer, reach a little below.
    if scale.floor > 0, progress > 1 + 0.2 * ScaleFindings.margin {
      return finding(
        .belowFloor, .odd, scale.floor,
        "lies below \(Words.number(scale.floor)), the least that label smoothing and the recipe's "
          + "sizes allow: the log is of another recipe than the checkpoint; begin such a run in a "
          + "folder of its own")
    }
    if progress >= 1 - (scale.floor > 0 ? ScaleFindings.margin : ScaleFindings.marginAtZero) {
      let (verdict, text) = atFloor(run, scale)
      return finding(floor, verdict, scale.floor, text)
    }
    if progress > ScaleFindings.margin {
      return finding(
        learning, .usual, scale.nothing,
        "has gone \(Words.percent(progress)) of the way from \(top) (nothing learnt) to "
          + "\(Words.number(scale.floor)) (no mistake"
          + (scale.floor > 0 ? ", under label smoothing)" : ")"))
    }
    let place = progress < -ScaleFindings.margin ? "is above" : "is at"
    guard run.phase == .settled else {
      return finding(
        nothing, .early, scale.nothing,
        "\(place) \(top): \(start); usual up to step \(run.recipe?.settledStep ?? 0) or so, go on")
    }
    return finding(
      nothing, .odd, scale.nothing,
      "\(place) \(top) at \(Words.steps(curve.tail.map(\.step))), long after the warm-up: \(start); "
        + advice)
  }

  /// Pairs that were never trained on tell learning from learning by heart.
  private func atFloor(_ run: RunCurves, _ scale: LossScale) -> (Finding.Verdict, String) {
    let what =
      "is at \(Words.number(scale.floor)), its floor"
      + (scale.floor > 0 ? " under label smoothing: " : ": ")
    guard let heldOut = run.heldOut(loss) else {
      return (
        .odd,
        what + "the training pairs are known by heart; hold some out (data.validation.path) to see "
          + "whether others are known too"
      )
    }
    let number = Words.number(heldOut.last.value)
    // The held-out batch may be of another size, but hardly by so much.
    if scale.progress(heldOut.last.value) >= 0.75 {
      return (
        .usual, what + "and the held-out loss (\(number)) is near: it has learnt what there is"
      )
    }
    return (
      .odd,
      what + "and the held-out loss is \(number): the training pairs are known by heart; stop "
        + "earlier, or take more pairs and stronger data.augmentation"
    )
  }
}
