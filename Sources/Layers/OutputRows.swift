import Autograd
import Tensors

/// The rows of a stack's last layer whose outputs somebody reads.
///
/// Of the other rows that layer needs what they answer with, keys and values, and nothing else: no
/// query, no output of the attention, no feed-forward. Rows that are read get the same numbers.
public struct OutputRows: Sendable {
  /// In ascending order; no two touch one another.
  public let runs: [Range<Int>]
  /// How many rows are read.
  public let count: Int

  /// - Parameter runs: In ascending order, none in another.
  public init(_ runs: [Range<Int>]) {
    let runs = runs.filter { !$0.isEmpty }
    for (run, next) in zip(runs, runs.dropFirst()) {
      precondition(run.upperBound <= next.lowerBound, "rows \(run) come before rows \(next)")
    }
    self.runs = Array(RangeSet(runs).ranges)
    count = runs.reduce(0) { $0 + $1.count }
  }

  /// Their places among all rows.
  public var indices: [Int32] { runs.joined().map(Int32.init) }

  /// The rows that are read, `[count, width]`; x itself where these are all.
  /// - Parameter x: All rows, `[rows, width]`.
  public func of(_ x: Variable) -> Variable {
    guard runs.count == 1 else { return x.gatheredRows(indices) }
    return count == x.shape[0] ? x : x.rows(runs[0])
  }

  /// The layout in which only rows that are read look at others; they are numbered among themselves,
  /// and see the keys that they saw. Their random draws stay where they were.
  public func of(_ layout: AttentionLayout) -> AttentionLayout {
    AttentionLayout(
      groups: layout.groups.map { group in
        AttentionLayout.Group(queries: group.queries.flatMap(of), keys: group.keys)
      })
  }

  /// The parts of a span that are read.
  private func of(_ span: AttentionLayout.QuerySpan) -> [AttentionLayout.QuerySpan] {
    var start = 0
    return runs.compactMap { run in
      defer { start += run.count }
      let rows = run.clamped(to: span.rows)
      if rows.isEmpty { return nil }
      let skipped = rows.lowerBound - span.rows.lowerBound
      let first = start + rows.lowerBound - run.lowerBound
      var part = span
      part.rows = first..<first + rows.count
      part.visibleKeys = span.isCausal ? span.visibleKeys + skipped : span.visibleKeys
      part.place.position += UInt32(skipped)
      return part
    }
  }
}
