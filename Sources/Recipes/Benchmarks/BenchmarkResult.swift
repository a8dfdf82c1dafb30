import Foundation
import Reporting
import Tensors
import Training

/// What a benchmark measured.
public struct BenchmarkResult: Encodable {
  /// The seconds of each counted step; the first is a warm-up and is not among them.
  public let seconds: [Double]
  /// What a step makes: samples, or tokens.
  public let count: Int
  public let unit: String
  /// The largest resident memory of the process, in bytes.
  public let peakMemory: Int

  /// Times steps.
  /// - Parameters:
  ///   - steps: Those that count, after one to warm up.
  ///   - report: Is told of each step's time, with what `take` says of it.
  init(
    steps: Int, count: Int, unit: String, report: (String) -> Void, take: (Int) throws -> String
  ) rethrows {
    var seconds: [Double] = []
    for step in 0...steps {
      let begin = ContinuousClock.now
      let text = try take(step)
      seconds.append((ContinuousClock.now - begin).inSeconds)
      Profile.markStep()
      if step == 0 { Profile.restart() }
      report(String(format: "%.3f s  ", seconds[step]) + text)
    }
    self.seconds = Array(seconds.dropFirst())
    self.count = count
    self.unit = unit
    peakMemory = SystemMemory.peakBytes
  }

  public var median: Double { seconds.sorted()[seconds.count / 2] }

  private enum Key: String, CodingKey {
    case seconds, median, count, unit, rate, peakMemory
  }

  /// Seconds of steps and their median, what a step makes of which unit, how much of it in a second, and
  /// bytes of memory.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(seconds, forKey: .seconds)
    try container.encode(median, forKey: .median)
    try container.encode(count, forKey: .count)
    try container.encode(unit, forKey: .unit)
    try container.encode(Double(count) / median, forKey: .rate)
    try container.encode(peakMemory, forKey: .peakMemory)
  }

  /// `median S s/step, R samples/s, peak G GiB`.
  public var line: String {
    String(
      format: "median %.3f s/step, %.3f %@/s, peak %.2f GiB", median, Double(count) / median, unit,
      Double(peakMemory) / 0x1p30)
  }
}

/// Captions of random words.
enum BenchmarkTexts {
  /// Lengths normal around the mean with deviation 3, as COCO's captions have them, at least 5.
  static func lengths(_ count: Int, mean: Double, most: Int, _ generator: Philox) -> [Int] {
    Tensor.normal([count], standardDeviation: 3, generator: generator, site: 2).values.map {
      min(most, max(5, Int((mean + Double($0)).rounded())))
    }
  }

  /// Token ids that most vocabularies have.
  static func words(_ count: Int, _ sample: Int, _ generator: Philox) -> [Int32] {
    var stream = RandomStream(generator, site: 3, sample: UInt32(sample))
    return (0..<count).map { _ in Int32.random(in: 1000..<30_000, using: &stream) }
  }
}
