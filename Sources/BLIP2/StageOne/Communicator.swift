import Tensors

/// How processes that train together exchange what the contrastive loss compares.
///
/// The loss sees *own* features, whose gradients it makes, and *gathered* ones, those of all
/// processes; the own rows begin at `offset` among them.
public protocol Communicator {
  /// The rows of all processes in their order, and where the own rows begin.
  /// - Parameter rows: `[own rows, width]`.
  func gathered(_ rows: Tensor) -> (all: Tensor, offset: Int)
  func gathered(_ ids: [Int64]) -> [Int64]
}

/// One process alone.
public struct SingleProcess: Communicator {
  public init() {}
  public func gathered(_ rows: Tensor) -> (all: Tensor, offset: Int) { (rows, 0) }
  public func gathered(_ ids: [Int64]) -> [Int64] { ids }
}
