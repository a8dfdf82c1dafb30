extension Array {
  /// So many at even distances, beginning with the first; all where there are no more.
  package func spread(_ count: Int) -> [Element] {
    count >= self.count ? self : (0..<count).map { self[$0 * self.count / count] }
  }
}
