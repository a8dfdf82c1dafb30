extension [Int] {
  /// The product of lengths that a file gives; nil where one is negative or the product, from the
  /// first one on, more than an `Int` can hold.
  package var countableProduct: Int? {
    var product = 1
    for length in self {
      let (next, overflow) = product.multipliedReportingOverflow(by: length)
      guard length >= 0, !overflow else { return nil }
      product = next
    }
    return product
  }
}
