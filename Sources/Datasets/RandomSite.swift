import Tensors

/// The places in this module where numbers are drawn, for `RandomStream`'s `site`.
enum RandomSite: UInt32 {
  case order = 0x4441_5401
  case caption
  case augmentation
}

extension RandomStream {
  /// A number in `0..<limit`, each as likely as any other (Lemire 2019, "Fast random integer
  /// generation in an interval").
  /// - Precondition: `limit` is not 0.
  mutating func number(below limit: UInt32) -> UInt32 {
    var product = UInt64(nextWord()) * UInt64(limit)
    if UInt32(truncatingIfNeeded: product) < limit {
      let threshold = (0 &- limit) % limit
      while UInt32(truncatingIfNeeded: product) < threshold {
        product = UInt64(nextWord()) * UInt64(limit)
      }
    }
    return UInt32(product >> 32)
  }
}
