import Foundation

/// What held-out pairs say.
enum HeldOutFindings {
  /// A rise of a loss by less is noise.
  private static let leastRise = 0.02

  static func all(_ run: RunCurves) -> [Finding] {
    (RunCurves.losses.map { overfitting(run, $0) } + [recall(run)]).compactMap { $0 }
  }

  private static func overfitting(_ run: RunCurves, _ loss: String) -> Finding? {
    guard let heldOut = run.heldOut(loss), let train = run.train(loss),
      let best = heldOut.points.min(by: { $0.value < $1.value }),
      heldOut.last.value > best.value * (1 + leastRise),
      let then = train.value(upTo: best.step), train.level < then
    else { return nil }
    return run.finding(
      .overfitting, .odd, of: heldOut, value: heldOut.last.value, expected: best.value,
      "held-out \(loss) was lowest at step \(Int(best.step)) (\(Words.number(best.value))) and is "
        + "\(Words.number(heldOut.last.value)) now, while in training it fell from "
        + "\(Words.number(then)) to \(Words.number(train.level)): overfitting; take the checkpoint "
        + "nearest to step \(Int(best.step)), train on more pairs, or for fewer steps")
  }

  /// R@1 both ways, which ITC is trained for.
  ///
  /// By chance, about two of the right answers come first, one in each direction (Poisson); six or
  /// more do in 2 % of all cases. So three times chance is where it is no chance any more, if a
  /// image has one text.
  private static func recall(_ run: RunCurves) -> Finding? {
    let directions = ["imageToText", "textToImage"]
    let found = directions.compactMap { run.heldOut("cosine.\($0).r1") }
    let chances = directions.compactMap { run.heldOut("chance.\($0).r1")?.last.value }
    guard run.train("itc") != nil, found.count == 2, chances.count == 2 else { return nil }
    let (recall, chance) = (LossCurve.mean(found.map(\.last.value)), LossCurve.mean(chances))
    let numbers = found.map { Words.number($0.last.value) }.joined(separator: " and ")
    let what =
      "held-out R@1 \(numbers) % (image → text, text → image) where chance is "
      + "\(Words.number(chance)) %"
    func finding(_ kind: Finding.Kind, _ verdict: Finding.Verdict, _ text: String) -> Finding {
      run.finding(kind, verdict, of: found[0], value: recall, expected: chance, text)
    }
    if recall >= 3 * chance { return finding(.recall, .usual, what) }
    let progress = run.contrastProgress ?? 0
    if progress > 0.5 {
      return finding(
        .recallAtChance, .odd,
        what + ": the same as chance, though ITC has gone \(Words.percent(progress)) of its way on "
          + "training pairs; see by blip2-train data check that held-out images and texts belong "
          + "together, and train on more pairs")
    }
    if let recipe = run.recipe, run.step >= recipe.training.steps {
      return finding(
        .recallAtChance, .odd,
        what + ": the same as chance, and the run is over; train longer, on more pairs, or with "
          + "initialise.bert and an encoder that knows such images")
    }
    return finding(
      .recallAtChance, .early, what + ": the same as chance, usual until ITC has left ln batch")
  }
}
