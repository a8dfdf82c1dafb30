import Tensors

/// The order in which an epoch visits the samples.
public struct SampleOrder: Sendable {
  /// What happens at one place.
  public struct Visit: Equatable, Sendable {
    /// The sample.
    public var index: Int
    /// The epoch in which the sample is to be seen. In a mixture each source has its own, since
    /// sources are gone through at different speeds.
    public var epoch: Int
  }

  public let count: Int
  private var epoch = 0
  /// The sample at each place; nil stands for the natural order.
  private var indices: [UInt32]?
  /// The epoch at each place; nil where it is `epoch` at all of them.
  private var epochs: [UInt32]?
}

extension SampleOrder {
  /// A random permutation (Fisher and Yates), each as likely as any other.
  /// - Precondition: `count` is below 2^32.
  public init(count: Int, seed: UInt64, epoch: Int) {
    precondition(
      count >= 0 && count < UInt32.max, "\(count) samples; expected 0 to \(UInt32.max - 1)")
    precondition(epoch >= 0, "epoch \(epoch) is negative")
    var random = RandomStream(.order, seed: seed, epoch: epoch)
    var indices = Array(0..<UInt32(count))
    random.shuffle(&indices[...])
    self.init(indices: indices, epoch: epoch)
  }

  /// One sample after another.
  public init(sequential count: Int, epoch: Int = 0) {
    self.init(count: count, epoch: epoch)
  }

  /// The samples as given, all in one epoch.
  init(indices: [UInt32], epoch: Int) {
    self.init(count: indices.count, epoch: epoch, indices: indices)
  }

  /// The samples as given, each with its epoch.
  init(indices: [UInt32], epochs: [UInt32]) {
    precondition(indices.count == epochs.count, "\(indices.count) samples, \(epochs.count) epochs")
    self.init(count: indices.count, indices: indices, epochs: epochs)
  }

  /// The sample at a place of the order.
  public subscript(place: Int) -> Int { indices.map { Int($0[place]) } ?? place }

  /// The sample at a place, and its epoch.
  public func visit(at place: Int) -> Visit {
    Visit(index: self[place], epoch: epochs.map { Int($0[place]) } ?? epoch)
  }
}
