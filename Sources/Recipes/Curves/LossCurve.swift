import Foundation
import Reporting
import Training

/// A logged number by step: where it stands and where it goes.
struct LossCurve {
  /// Such as `train/itc`.
  let metric: String
  /// At least one, in the order of steps.
  let points: [RecordedMetrics.Point]
  let last: RecordedMetrics.Point

  init?(_ metric: String, _ points: [RecordedMetrics.Point]?) {
    guard let points, let last = points.last else { return nil }
    self.metric = metric
    self.points = points
    self.last = last
  }

  /// The last third, which trends are read from.
  var tail: ArraySlice<RecordedMetrics.Point> { points.suffix(max(1, points.count / 3)) }

  /// Where it stands: single values tremble from batch to batch, and older ones are out of date.
  var level: Double { LossCurve.mean(tail.suffix(5).map(\.value)) }

  /// The value at the last logged step up to `step`.
  func value(upTo step: Double) -> Double? { points.last { $0.step <= step }?.value }

  static func mean(_ values: [Double]) -> Double {
    values.reduce(0, +) / Double(max(1, values.count))
  }
}

/// The straight line nearest to some points, by least squares.
struct LineFit {
  /// Per step.
  let slope: Double
  /// The standard error of the slope.
  let error: Double
  let mean: Double
  /// What the line rises by from the first point to the last.
  let rise: Double

  /// - Returns: nil for fewer than three points, or where all have one step.
  init?(_ points: some Collection<RecordedMetrics.Point>) {
    guard points.count > 2 else { return nil }
    let (count, steps) = (Double(points.count), points.map(\.step))
    let values = points.map(\.value)
    let (meanStep, meanValue) = (LossCurve.mean(steps), LossCurve.mean(values))
    let spread = steps.reduce(0) { $0 + ($1 - meanStep) * ($1 - meanStep) }
    guard spread > 0, let first = steps.first, let last = steps.last else { return nil }
    let product = zip(steps, values).reduce(0) { $0 + ($1.0 - meanStep) * ($1.1 - meanValue) }
    let slope = product / spread
    let rest = zip(steps, values).reduce(0.0) { sum, point in
      let miss = point.1 - meanValue - slope * (point.0 - meanStep)
      return sum + miss * miss
    }
    self.slope = slope
    error = (rest / (count - 2) / spread).squareRoot()
    mean = meanValue
    rise = slope * (last - first)
  }
}
