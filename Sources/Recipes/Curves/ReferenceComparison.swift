import Foundation
import Reporting
import Training

/// A run held against the curves of others.
public struct ReferenceComparison {
  /// A few seeds do not reach as far as all do: a band goes beyond them by this share of its width,
  /// and by this share of the mean at least. Of five seeds' own width it holds a further seed's points
  /// with 97 % (Student's t with four degrees of freedom, the width 2.33 standard deviations).
  static let marginOfWidth = 1.0
  static let leastMarginOfMean = 0.02
  /// Of a curve's points so many may lie outside; of few points one.
  static let shareOutside = 0.2

  /// Whether every curve lies within its band, and the recipe is the reference's.
  public let agrees: Bool
  let findings: [Finding]

  /// - Throws: ``CurveError/noCommonSteps(what:)``.
  init(of run: RunCurves, with reference: CurveReference) throws {
    var findings: [Finding] = []
    var differences =
      run.recipe.map { RunRecipe.differences(reference.recipe, $0.settings) }
      ?? ["recipe: it is not known here"]
    let spans = Spans(run: CurveReference.every(run), reference: reference.every)
    if let difference = spans.difference { differences.append(difference) }
    if !differences.isEmpty {
      findings.append(
        run.finding(
          .referenceSettings, run.recipe == nil ? .unknown : .odd,
          "\(reference.name) is of another recipe than this run, so that its curves say little: "
            + differences.joined(separator: "; ")))
    }
    let curves = reference.curves.sorted {
      (RunCurves.losses.firstIndex(of: $0.key) ?? 0)
        < (RunCurves.losses.firstIndex(of: $1.key) ?? 0)
    }.compactMap { loss, points in
      run.train(loss).flatMap { curve in
        ReferenceComparison.finding(
          curve.metric, loss, spans.ofRun(curve.points), spans.ofReference(points), reference)
      }
    }
    if curves.isEmpty {
      throw CurveError.noCommonSteps(what: "\(reference.name) and \(run.metrics.file)")
    }
    let isWithin = curves.allSatisfy { $0.verdict == .usual }
    agrees = differences.isEmpty && isWithin
    let verdict =
      agrees
      ? "the run agrees with \(reference.name)"
      : "the run does not agree with \(reference.name): "
        + (isWithin
          ? "its curves lie within the band, and its recipe is another, or not known"
          : "a curve that leaves the band from its start on has other data, weights or code, one "
            + "that leaves it later has diverged")
    self.findings =
      findings + curves + [run.finding(.referenceVerdict, agrees ? .usual : .odd, verdict)]
  }

  /// A point of the run that its band does not hold.
  private struct Outlier {
    let step: Double
    /// Beyond the nearer end of the band; below 0 for one that lies below.
    let distance: Double
    let mean: Double
    /// Of the band with its margins.
    let width: Double

    /// No seed's doing: farther out than the band is wide.
    var isFar: Bool { abs(distance) > width }
  }

  private static func finding(
    _ metric: String, _ loss: String, _ line: [RecordedMetrics.Point],
    _ points: [CurveReference.Point], _ reference: CurveReference
  ) -> Finding? {
    let bands = Dictionary(points.map { (Double($0.step), $0) }) { $1 }
    var outliers: [Outlier] = []
    var common: [Double] = []
    for point in line {
      guard let band = bands[point.step] else { continue }
      common.append(point.step)
      let margin = max(
        marginOfWidth * (band.highest - band.lowest), leastMarginOfMean * abs(band.mean))
      let (low, high) = (band.lowest - margin, band.highest + margin)
      if point.value >= low, point.value <= high { continue }
      let distance = point.value > high ? point.value - high : point.value - low
      outliers.append(
        Outlier(step: point.step, distance: distance, mean: band.mean, width: high - low))
    }
    guard let last = common.last else { return nil }
    let allowed = max(1, Int(shareOutside * Double(common.count)))
    let isUsual = outliers.count <= allowed && !outliers.contains(where: \.isFar)
    let what =
      "\(loss): \(outliers.count) of \(common.count) points lie outside the band of "
      + "\(reference.seeds.count) seeds (\(reference.name))"
    return Finding(
      kind: .reference, verdict: isUsual ? .usual : .odd, metric: metric, step: Int(last),
      value: Double(outliers.count), expected: Double(allowed),
      text: what + words(outliers) + "; up to \(allowed) may, by no more than the band is wide")
  }

  private static func words(_ outliers: [Outlier]) -> String {
    guard let farthest = outliers.max(by: { abs($0.distance) < abs($1.distance) })
    else { return "" }
    let above = outliers.filter { $0.distance > 0 }.count
    let side = above == outliers.count ? "above" : above == 0 ? "below" : "above and below"
    let distance = abs(farthest.distance)
    let share = abs(farthest.mean) > 0 ? distance / abs(farthest.mean) : 0
    return ", \(side) it at \(Words.steps(outliers.map(\.step))), by "
      + "\(Words.number(distance)) at most (\(Quantity.percent(share)) of the mean, at "
      + "step \(Int(farthest.step)))"
  }
}

/// Logged points are means since the one before: of two logs, the more frequent one's are put together
/// to be means over as many steps as the other's.
private struct Spans {
  let run: Int
  let reference: Int

  private var longest: Int { max(run, reference) }

  /// Why means cannot be put together, if they cannot.
  var difference: String? {
    if run > 0, reference > 0, longest.isMultiple(of: run), longest.isMultiple(of: reference) {
      return nil
    }
    return "points: means over \(reference) and over \(run) steps"
  }

  func ofRun(_ points: [RecordedMetrics.Point]) -> [RecordedMetrics.Point] {
    groups(points, every: run, step: { Int($0.step) }).map { group in
      RecordedMetrics.Point(
        step: Double(group.step), value: LossCurve.mean(group.points.map(\.value)))
    }
  }

  /// The band of a mean is narrower than the mean of bands, which so is on the safe side.
  func ofReference(_ points: [CurveReference.Point]) -> [CurveReference.Point] {
    groups(points, every: reference, step: \.step).map { group in
      CurveReference.Point(
        step: group.step, mean: LossCurve.mean(group.points.map(\.mean)),
        lowest: LossCurve.mean(group.points.map(\.lowest)),
        highest: LossCurve.mean(group.points.map(\.highest)))
    }
  }

  /// The points that make up each mean; one that lacks any is left out.
  private func groups<Point>(
    _ points: [Point], every: Int, step: (Point) -> Int
  ) -> [(step: Int, points: [Point])] {
    guard difference == nil, every < longest else { return points.map { (step($0), [$0]) } }
    let count = longest / every
    let byStep = Dictionary(points.map { (step($0), $0) }) { $1 }
    guard count <= points.count else { return [] }
    return points.map(step).filter { $0 > 0 && $0.isMultiple(of: longest) }.compactMap { end in
      let members = (0..<count).compactMap { byStep[end - $0 * every] }
      return members.count == count ? (end, members) : nil
    }
  }
}
