import Files
import Foundation

/// The numbers of a run, read back from `metrics.jsonl`.
package struct RecordedMetrics {
  package struct Point: Equatable {
    package var step: Double
    package var value: Double

    package init(step: Double, value: Double) {
      self.step = step
      self.value = value
    }
  }

  /// By names such as `train/itc` and `validation/cosine.imageToText.r1`, in the order of steps.
  package private(set) var series: [String: [Point]] = [:]
  /// The steps at which a number was not finite (NaN or infinity), by the same names.
  package private(set) var notFinite: [String: [Double]] = [:]
  /// Lines that are not what a run writes.
  package private(set) var damagedLines = 0
  package let file: String

  static let maximumFileSize = 256 << 20
  private static let maximumLineLength = 1 << 20
  private static let maximumSeriesCount = 4096
  /// Values beyond have no place in an image, and sums of them would overflow.
  private static let largestValue = 1e100

  /// - Throws: ``PlotError``, or that it holds no numbers.
  package init(folder: String) throws {
    file = FilePath.joined(folder, MetricsLog.fileName)
    let bytes: Data
    do {
      bytes = Data(try BoundedFile.contents(of: file, limit: Self.maximumFileSize))
    } catch {
      throw PlotError.cannotRead(error)
    }
    for line in bytes.split(separator: UInt8(ascii: "\n")) where !take(line) { damagedLines += 1 }
    series = series.mapValues(Self.ordered)
    notFinite = notFinite.mapValues { $0.sorted() }
    if series.isEmpty { throw PlotError.noNumbers(file: file) }
  }

  /// - Returns: Whether the line is sound.
  private mutating func take(_ line: Data) -> Bool {
    guard line.count <= Self.maximumLineLength,
      let entry = (try? JSONSerialization.jsonObject(with: line)) as? [String: Any],
      let step = entry["step"] as? Int, (0...(1 << 53)).contains(step),
      let kind = entry["kind"] as? String
    else { return false }
    for (name, value) in entry where name != "step" {
      let key = "\(kind)/\(name)"
      // Null stands for what was not finite.
      if value is NSNull, notFinite[key] != nil || notFinite.count < Self.maximumSeriesCount {
        notFinite[key, default: []].append(Double(step))
      }
      guard let number = value as? Double, abs(number) <= Self.largestValue else { continue }
      if series[key] == nil, series.count == Self.maximumSeriesCount { return false }
      series[key, default: []].append(Point(step: Double(step), value: number))
    }
    return true
  }

  /// By step; where a step comes twice the later line holds.
  private static func ordered(_ points: [Point]) -> [Point] {
    var last: [Double: Double] = [:]
    for point in points { last[point.step] = point.value }
    return last.map { Point(step: $0.key, value: $0.value) }.sorted { $0.step < $1.step }
  }
}
