import Autograd
import BLIP2
import Foundation
import Layers
import Tensors

/// Times whole stage-1 steps, forward, backward and AdamW, on random features and captions of the
/// real sizes: features `[batch, 257, 1408]`, a BERT-base Q-Former, captions of about 12 tokens.
public struct StageOneBenchmark {
  public var batch = 16
  public var steps = 5
  /// The longest caption, and the mean of all, in tokens.
  public var maximumTextLength = 32
  public var meanTextLength = 12.0
  /// MiniLM's sizes: 6 layers, width 384, features of width 384.
  public var isSmall = false

  public init() {}

  public struct Result {
    /// The seconds of each counted step; the first is a warm-up and is not among them.
    public let seconds: [Double]
    public let batch: Int
    /// The largest resident memory of the process, in GiB.
    public let peakGiB: Double

    public var median: Double { seconds.sorted()[seconds.count / 2] }

    /// `median S s/step, R samples/s, peak G GiB`.
    public var line: String {
      String(
        format: "median %.3f s/step, %.3f samples/s, peak %.2f GiB", median,
        Double(batch) / median, peakGiB)
    }
  }

  /// - Parameter report: Is told of each step.
  public func run(report: (String) -> Void) -> Result {
    let model = makeModel()
    let optimizer = AdamW(AdamWConfiguration(), parameters: model.namedParameters)
    let generator = Philox(seed: 1)
    let features = Variable(
      .normal(
        [batch, 257, model.qFormer.visionWidth], standardDeviation: 1, generator: generator,
        site: 1))
    let texts = captions(generator)
    var seconds: [Double] = []
    for step in 0...steps {
      let begin = ContinuousClock.now
      let losses = model.losses(
        StageOneBatch(features: features, texts: texts),
        negatives: .drawn(Philox(seed: 2, stream: UInt64(step))),
        randomness: TrainingRandomness(
          rate: model.configuration.qFormer.dropout, seed: 3, step: step))
      let values = [losses.contrast, losses.matching, losses.generation].map {
        $0?.value.scalar ?? 0
      }
      let gradients = Gradients()
      gradients.addBackward(from: losses.total)
      optimizer.update(gradients, rate: 1e-4)
      let time = (ContinuousClock.now - begin).inSeconds
      seconds.append(time)
      report(
        String(
          format: "%.3f s  itc %.3f itm %.3f itg %.3f", time, values[0], values[1], values[2]))
    }
    return Result(
      seconds: Array(seconds.dropFirst()), batch: batch, peakGiB: StageOneBenchmark.peakGiB)
  }

  private func makeModel() -> StageOneModel {
    var configuration = StageOneConfiguration()
    if isSmall {
      configuration.qFormer.width = 384
      configuration.qFormer.layers = 6
      configuration.qFormer.feedForwardWidth = 1536
    }
    return StageOneModel(configuration, visionWidth: isSmall ? 384 : 1408, seed: 0)
  }

  /// Token ids with lengths normal around the mean, as COCO's captions have them.
  private func captions(_ generator: Philox) -> [[Int32]] {
    let lengths = Tensor.normal([batch], standardDeviation: 3, generator: generator, site: 2).values
    var stream = RandomStream(generator, site: 3)
    return lengths.map { offset in
      let length = min(
        maximumTextLength, max(5, Int((meanTextLength + Double(offset)).rounded())))
      let words = (0..<length - 2).map { _ in Int32.random(in: 1000..<30_000, using: &stream) }
      return [101] + words + [102]
    }
  }

  private static var peakGiB: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_maxrss) / 1_048_576
  }
}
