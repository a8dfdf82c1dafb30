import Foundation

/// What ITM's loss says.
///
/// One pair in three matches, so that the head which gives all pairs one answer ends at the entropy of
/// a third. It stays there until ITC has lined pairs up: only then are hard negatives hard and matches
/// to be found (README, "The objectives, taken apart").
enum MatchFindings {
  /// How near to the constant answer counts as it; a batch's mean trembles by about as much.
  static let tolerance = 0.012
  /// The share of ITC's way by which ITM has begun in every run that was looked at, and more.
  static let lateProgress = 0.6

  static func finding(_ run: RunCurves) -> Finding? {
    guard let curve = run.train("itm") else { return nil }
    let (level, constant) = (curve.level, LossScale.constantMatch)
    func finding(_ kind: Finding.Kind, _ verdict: Finding.Verdict, _ text: String) -> Finding {
      run.finding(kind, verdict, of: curve, value: level, expected: constant, "ITM \(text)")
    }
    let number = Words.number(level)
    if abs(level - constant) <= tolerance { return constantAnswer(run, curve, finding) }
    if level < constant {
      return finding(
        .matchLearning, .usual,
        "\(number), below \(Words.number(constant)), which one answer for all pairs costs: the "
          + "match head is learning; 0 would be no mistake")
    }
    let (verdict, meaning): (Finding.Verdict, String) =
      switch run.phase {
      case .warmingUp, .early:
        (.early, "usual of a head that is new (\(Words.number(log(2))) is a coin's toss); go on")
      case .settled:
        (
          .odd,
          "long after the warm-up the match head is sure of wrong answers; lower "
            + "training.learningRate.peak or set training.clipNorm to 1"
        )
      case nil:
        (.unknown, "usual at the start, not long after the warm-up")
      }
    return finding(
      .matchWorseThanConstant, verdict,
      "\(number), above \(Words.number(constant)), which one answer for all pairs costs: \(meaning)"
    )
  }

  private static func constantAnswer(
    _ run: RunCurves, _ curve: LossCurve,
    _ finding: (Finding.Kind, Finding.Verdict, String) -> Finding
  ) -> Finding {
    let what =
      "\(Words.number(curve.level)), the entropy of one match in three "
      + "(\(Words.number(LossScale.constantMatch))): the match head gives all pairs one answer; "
    guard let progress = run.contrastProgress, let contrast = run.train("itc") else {
      let why = run.train("itc") == nil ? "ITC is not trained" : "ITC's scale is not known"
      return finding(
        .matchConstant, .unknown,
        what + "usual until ITC tells pairs apart, and \(why): compare held-out R@1")
    }
    let place =
      "ITC (\(Words.number(contrast.level))) has gone "
      + "\(Words.percent(max(0, progress))) of its way"
    let stays = curve.tail.allSatisfy { abs($0.value - LossScale.constantMatch) <= tolerance }
    guard progress >= lateProgress, stays, curve.tail.count > 2 else {
      return finding(
        .matchConstant, .usual,
        what + "usual until ITC has lined pairs up, about half of its way, and \(place)")
    }
    return finding(
      .matchConstant, .odd,
      what + "\(place), and ITM has not begun at \(Words.steps(curve.tail.map(\.step))): see by "
        + "blip2-train data check whether other images have the same texts (give pairs of one "
        + "image the same image_id), and try a higher training.learningRate.peak or a larger "
        + "training.batchSize")
  }
}
