import Foundation
import Reporting
import Training

/// What a run's curves say, in words: which of its losses are usual, and which are not.
public struct RunDiagnosis {
  /// `stage1` or `stage2`.
  public let stage: String
  /// The last logged step.
  public let step: Int
  /// Of the whole schedule, and the pairs of a micro-batch; nil where no checkpoint could be read.
  public let steps: Int?
  public let batchSize: Int?
  public let findings: [Finding]
  /// What came of holding the run against a reference; nil without one.
  public let comparison: ReferenceComparison?

  /// - Parameters:
  ///   - folder: The run's output folder.
  ///   - reference: Curves of runs of the same recipe.
  ///   - report: Is told of checkpoints that were passed over.
  /// - Throws: ``PlotError`` for a folder without numbers, or ``CurveError``.
  public init(
    folder: String, reference: CurveReference? = nil, report: (String) -> Void = { _ in }
  ) throws {
    let metrics = try RecordedMetrics(folder: folder)
    let recipe: RunRecipe?
    let problem: String?
    do {
      recipe = try RunRecipe(folder: folder, report: report)
      problem = nil
    } catch {
      recipe = nil
      problem = RunRecipe.reason(error)
    }
    try self.init(
      RunCurves(metrics: metrics, recipe: recipe), problem: problem, reference: reference)
  }

  /// - Parameter problem: Why the recipe is not known.
  init(_ run: RunCurves, problem: String? = nil, reference: CurveReference? = nil) throws {
    stage = run.stage
    step = run.step
    steps = run.recipe?.training.steps
    batchSize = run.recipe?.batchSize
    comparison = try reference.map { try ReferenceComparison(of: run, with: $0) }
    let all: [[Finding?]] = [
      [RunDiagnosis.unknown(run, problem: problem)], CourseFindings.beginning(run),
      [MatchFindings.finding(run)], ScaleFindings.all(run), HeldOutFindings.all(run),
      [CourseFindings.temperature(run)], CourseFindings.astray(run), CourseFindings.rising(run),
      comparison?.findings ?? [],
    ]
    var findings = all.joined().compactMap { $0 }
    if !findings.contains(where: { $0.verdict == .odd }), let fine = RunDiagnosis.nothingOdd(run) {
      findings.append(fine)
    }
    self.findings = findings
  }

  private static func unknown(_ run: RunCurves, problem: String?) -> Finding? {
    guard run.recipe != nil else {
      let reason = problem.map { ": " + $0 } ?? ""
      return run.finding(
        .noRecipe, .unknown,
        "no checkpoint tells the recipe, so that batch, vocabulary, warm-up and clipping are not "
          + "known, nor what ITC, ITG and LM would be if nothing were learnt\(reason)")
    }
    let loss = run.stage == StageTwoRecipe.name ? "lm" : "itg"
    guard let curve = run.train(loss), run.scale(loss) == nil else { return nil }
    return run.finding(
      .noRecipe, .unknown, of: curve,
      "the vocabulary is not known, as the language model of the recipe (llm.path) is not found "
        + "from here: call this in the folder in which the run was begun")
  }

  private static func nothingOdd(_ run: RunCurves) -> Finding? {
    let parts = [("", "train/"), ("held out ", "validation/")].flatMap { words, kind in
      RunCurves.losses.compactMap { loss in
        run.metrics.series[kind + loss]?.last.map { "\(words)\(loss) \(Words.number($0.value))" }
      }
    }
    if parts.isEmpty { return nil }
    let total = run.recipe.map { " of \($0.training.steps)" } ?? ""
    return run.finding(
      .nothingOdd, .usual,
      "nothing odd so far: step \(run.step)\(total), " + parts.joined(separator: ", "))
  }
}
