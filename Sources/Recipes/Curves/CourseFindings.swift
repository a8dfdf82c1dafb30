import Foundation
import Reporting

/// What is said of any run, whatever its losses: whether there is enough to go by, whether numbers
/// went astray, and where curves go.
enum CourseFindings {
  /// A loss rises if the line through its last third does, by three standard errors and by this share.
  private static let leastRise = 0.02

  static func beginning(_ run: RunCurves) -> [Finding] {
    var findings: [Finding] = []
    if run.metrics.damagedLines > 0 {
      findings.append(
        run.finding(
          .damagedLines, .unknown, value: Double(run.metrics.damagedLines), expected: 0,
          "skipped \(Quantity.of(run.metrics.damagedLines, "damaged line")) of \(run.metrics.file)")
      )
    }
    let points = RunCurves.losses.compactMap { run.train($0)?.points.count }.max() ?? 0
    if points < RunCurves.leastPoints {
      findings.append(
        run.finding(
          .tooFewPoints, .early, value: Double(points), expected: Double(RunCurves.leastPoints),
          "\(Quantity.of(points, "logged point")): too few to say where the curves go, which takes "
            + "\(RunCurves.leastPoints); wait, or log more often by log.every"))
    }
    if let recipe = run.recipe, recipe.warmupSteps >= recipe.training.steps {
      findings.append(
        run.finding(
          .warmingUp, .odd, of: run.train("learningRate"), value: Double(recipe.training.steps),
          expected: Double(recipe.warmupSteps),
          "the run ends after \(recipe.training.steps) steps, within its warm-up of "
            + "\(recipe.warmupSteps): the rate never reaches its peak; lower "
            + "training.learningRate.warmupSteps, or raise training.steps"))
    } else if run.phase == .warmingUp, let recipe = run.recipe {
      findings.append(
        run.finding(
          .warmingUp, .early, of: run.train("learningRate"), value: Double(run.step),
          expected: Double(recipe.warmupSteps),
          "step \(run.step) of \(recipe.warmupSteps) of the warm-up: the rate is still rising, and "
            + "losses near their start say nothing yet"))
    }
    return findings
  }

  static func astray(_ run: RunCurves) -> [Finding] {
    var findings: [Finding] = []
    let steps = Set(
      RunCurves.losses.flatMap { loss in
        ["train/", "validation/"].flatMap { run.metrics.notFinite[$0 + loss] ?? [] }
      }
    ).union(run.metrics.notFinite["train/gradientNorm"] ?? []).sorted()
    if !steps.isEmpty {
      findings.append(
        run.finding(
          .notFinite, .odd, value: Double(steps.count), expected: 0,
          "numbers that are not finite (NaN or infinity) in \(Quantity.of(steps.count, "line")) of the "
            + "log, at \(Words.steps(steps)): lower training.learningRate.peak, lengthen warmupSteps or set "
            + "training.clipNorm to 1, and resume from a checkpoint before"))
    }
    if let skipped = run.train("skippedSteps"), skipped.last.value > 0 {
      let first = skipped.points.first { $0.value > 0 } ?? skipped.last
      findings.append(
        run.finding(
          .skippedSteps, .odd, of: skipped, value: skipped.last.value, expected: 0,
          "\(Quantity.of(Int(min(skipped.last.value, 1e15)), "step")) made no update, the "
            + "first of them up to step \(Int(first.step)): their loss or gradient was not finite; lower "
            + "training.learningRate.peak if there are more and more"))
    }
    return findings + [gradient(run)].compactMap { $0 }
  }

  private static func gradient(_ run: RunCurves) -> Finding? {
    guard let norm = run.train("gradientNorm"), norm.tail.count > 2,
      let least = norm.tail.map(\.value).min(), let most = norm.tail.map(\.value).max()
    else { return nil }
    let place = "at \(Words.steps(norm.tail.map(\.step)))"
    let vanishing = 1e-4
    if most < vanishing {
      return run.finding(
        .gradientsVanish, .odd, of: norm, value: most, expected: vanishing,
        "the gradient's norm is at most \(Words.number(most)) \(place): nothing reaches the "
          + "parameters; see that images' features differ, and lower training.learningRate.peak "
          + "if the losses stand still")
    }
    let excess = 10.0
    guard let limit = run.recipe?.training.clipNorm, limit > 0, least > excess * limit else {
      return nil
    }
    return run.finding(
      .gradientsClipped, .odd, of: norm, value: least, expected: limit,
      "the gradient's norm is at least \(Words.number(least)) \(place), and all of them are cut "
        + "to \(Words.number(limit)): clipping is for outliers; lower "
        + "training.learningRate.peak, or raise training.clipNorm if the losses fall well")
  }

  static func rising(_ run: RunCurves) -> [Finding] {
    RunCurves.losses.compactMap { loss in
      guard let curve = run.train(loss), curve.points.count >= RunCurves.leastPoints,
        let line = LineFit(curve.tail), line.slope > 3 * line.error,
        line.rise > leastRise * line.mean, line.rise > 0
      else { return nil }
      return run.finding(
        .rising, .odd, of: curve, value: line.rise, expected: 0,
        "\(loss) rises: by \(Words.number(line.rise)) (\(Words.percent(line.rise / line.mean))) at "
          + "\(Words.steps(curve.tail.map(\.step))); lower training.learningRate.peak, set "
          + "training.clipNorm to 1, and resume from a checkpoint before it rose")
    }
  }

  /// The learned divisor of ITC's similarities.
  static func temperature(_ run: RunCurves) -> Finding? {
    let curve = run.train("temperature") ?? run.heldOut("temperature")
    guard let value = curve?.last.value ?? run.recipe?.temperature, run.train("itc") != nil
    else { return nil }
    func finding(_ verdict: Finding.Verdict, _ expected: Double, _ text: String) -> Finding {
      run.finding(
        .temperature, verdict, of: curve, value: value, expected: expected,
        "the temperature is \(Words.number(value)): \(text)")
    }
    let (least, most) = (0.005, 0.5)
    if value < least {
      return finding(
        .odd, least,
        "so small that a batch's nearest pairs alone count; lower training.learningRate.peak")
    }
    if value > most {
      return finding(
        .odd, most,
        "cosines lie within −1 and 1, and divided by so much they hardly tell pairs apart; lower "
          + "training.learningRate.peak")
    }
    let start = run.recipe?.initialTemperature ?? 0.07
    return finding(.usual, start, "within what is usual (it began at \(Words.number(start)))")
  }
}
