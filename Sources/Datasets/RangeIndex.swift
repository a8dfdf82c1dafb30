extension Sequence<Int> {
  /// Where runs of these lengths begin that follow one another, and where the last of them ends.
  var starts: [Int] { reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) } }
}

extension RandomAccessCollection where Element: Comparable, Index == Int {
  /// Of ranges that begin at these elements, in ascending order, the one that holds a value: the
  /// last that begins at or before it.
  func rangeIndex(of value: Element) -> Int {
    var range = startIndex..<endIndex
    while range.count > 1 {
      let middle = range.lowerBound + range.count / 2
      range =
        self[middle] <= value ? middle..<range.upperBound : range.lowerBound..<middle
    }
    return range.lowerBound
  }
}
