import Foundation
import Reporting
import Training

/// A run's numbers with what is known of its recipe: what findings are drawn from.
struct RunCurves {
  let metrics: RecordedMetrics
  /// Nil where no checkpoint could be read.
  let recipe: RunRecipe?
  /// The last step of which anything was logged.
  let step: Int

  /// How far a run is, as far as its losses can be judged.
  enum Phase {
    case warmingUp
    /// Losses may still be about what they were at the start.
    case early
    case settled
  }

  /// The losses of both stages.
  static let losses = ["itc", "itm", "itg", "lm"]
  /// Fewer logged points do not show where a curve goes.
  static let leastPoints = 15

  init(metrics: RecordedMetrics, recipe: RunRecipe?) {
    self.metrics = metrics
    self.recipe = recipe
    let steps = metrics.series.values.compactMap(\.last?.step)
    step = Int((steps + metrics.notFinite.values.compactMap(\.last)).max() ?? 0)
  }

  /// As it says itself, or else by its losses.
  var stage: String {
    if let recipe { return recipe.stage }
    return train("lm") == nil ? StageOneRecipe.name : StageTwoRecipe.name
  }

  func train(_ name: String) -> LossCurve? { curve("train/" + name) }
  func heldOut(_ name: String) -> LossCurve? { curve("validation/" + name) }

  private func curve(_ metric: String) -> LossCurve? {
    LossCurve(metric, metrics.series[metric])
  }

  /// Nil where the recipe is not known.
  var phase: Phase? {
    recipe.map {
      if step < $0.warmupSteps { return .warmingUp }
      return step < $0.settledStep ? .early : .settled
    }
  }

  /// Between which numbers a loss lies; nil for ITM, and where batch or vocabulary are not known.
  func scale(_ loss: String) -> LossScale? {
    guard let recipe else { return nil }
    let classes = loss == "itc" ? recipe.batchSize : recipe.vocabularySize
    guard loss != "itm", let classes, classes > 1 else { return nil }
    let smoothing = ["itc": recipe.contrastSmoothing, "itg": recipe.generationSmoothing][loss]
    return LossScale(classes: classes, smoothing: smoothing ?? 0)
  }

  /// How far ITC has come, from 0 for nothing learnt to 1; nil where that is not known.
  var contrastProgress: Double? {
    guard let curve = train("itc") else { return nil }
    return scale("itc")?.progress(curve.level)
  }

  func finding(
    _ kind: Finding.Kind, _ verdict: Finding.Verdict, of curve: LossCurve? = nil,
    value: Double? = nil, expected: Double? = nil, _ text: String
  ) -> Finding {
    Finding(
      kind: kind, verdict: verdict, metric: curve?.metric,
      step: Int(curve?.last.step ?? Double(step)),
      value: value, expected: expected, text: text)
  }
}
