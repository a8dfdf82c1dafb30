import Autograd

/// The mean of a loss over some of the things that the whole batch's mean is over. Chunks, and processes
/// that share a batch, have parts that add up to it.
package struct LossTerm {
  /// Of shape [].
  package let mean: Variable
  /// Pairs, candidates or tokens that it is the mean over.
  package let count: Int
  /// As many in the whole batch.
  package let total: Int

  package init(mean: Variable, count: Int, total: Int) {
    self.mean = mean
    self.count = count
    self.total = total
  }

  /// What it counts for in the mean over all.
  package var share: Double { Double(count) / Double(total) }
  /// Its part of the mean over all.
  package var value: Double { Double(mean.value.scalar) * share }
}
