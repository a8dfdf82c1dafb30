/// A product's left factor as tiles read it: groups of numbers that are neighbours along the sum, 32
/// bits each.
public struct GroupedRows<Number> {
  let pointer: UnsafePointer<Number>
  public let rows: Int
  /// The length of the sums in groups.
  let groups: Int
  /// Numbers from one row's group to the next row's, and from one group of a row to its next.
  let rowStep: Int
  let groupStep: Int

  func part(_ range: Range<Int>) -> GroupedRows {
    GroupedRows(
      pointer: pointer + range.lowerBound * rowStep, rows: range.count, groups: groups,
      rowStep: rowStep,
      groupStep: groupStep)
  }
}

/// Pairs of bfloat16 numbers.
public typealias PairRows = GroupedRows<BFloat16>

extension GroupedRows where Number == BFloat16 {
  /// The rows of a matrix where they lie.
  /// - Precondition: An even number of columns.
  public init(_ x: ElementView<BFloat16>) {
    precondition(x.columns % 2 == 0, "rows of \(x.columns) numbers are not pairs")
    self.init(
      pointer: x.pointer, rows: x.rows, groups: x.columns / 2, rowStep: x.stride, groupStep: 2)
  }
}
