import Tensors

/// The order in which an epoch visits the samples: a pure function of count, seed and epoch.
public struct SampleOrder: Sendable {
  public let count: Int
  /// Nil stands for the natural order.
  private let permutation: [UInt32]?

  /// A random permutation (Fisher and Yates), each as likely as any other.
  /// - Precondition: `count` is below 2^32.
  public init(count: Int, seed: UInt64, epoch: Int) {
    precondition(
      count >= 0 && count < UInt32.max, "\(count) samples; expected 0 to \(UInt32.max - 1)")
    precondition(epoch >= 0, "epoch \(epoch) is negative")
    var random = RandomStream(
      Philox(seed: seed, stream: UInt64(epoch)), site: RandomSite.order.rawValue)
    var places = Array(0..<UInt32(count))
    for last in stride(from: count - 1, to: 0, by: -1) {
      places.swapAt(last, Int(random.number(below: UInt32(last + 1))))
    }
    self.count = count
    permutation = places
  }

  /// One sample after another.
  public init(sequential count: Int) {
    self.count = count
    permutation = nil
  }

  /// The sample at a place of the order.
  public subscript(place: Int) -> Int { permutation.map { Int($0[place]) } ?? place }
}
