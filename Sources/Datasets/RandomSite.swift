import Tensors

/// The places in this module where numbers are drawn, for `RandomStream`'s `site`.
enum RandomSite: UInt32 {
  case order = 0x4441_5401
  case caption
  case augmentation
  case shards
  case window
  case mixture
  case replacement
}

extension RandomStream {
  /// The draws at a site, which are a matter of seed, epoch and sample alone.
  init(_ site: RandomSite, seed: UInt64, epoch: Int, sample: Int = 0) {
    self.init(
      Philox(seed: seed, stream: UInt64(epoch)), site: site.rawValue,
      sample: UInt32(truncatingIfNeeded: sample))
  }

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

  /// Permutes the elements (Fisher and Yates), each permutation as likely as any other.
  /// - Precondition: There are fewer than 2^32.
  mutating func shuffle<Element>(_ elements: inout ArraySlice<Element>) {
    let start = elements.startIndex
    for last in stride(from: elements.count - 1, to: 0, by: -1) {
      elements.swapAt(start + last, start + Int(number(below: UInt32(last + 1))))
    }
  }

  /// Which of an image's captions a visit takes.
  static func caption(of count: Int, sample: Int, seed: UInt64, epoch: Int) -> Int {
    var random = RandomStream(.caption, seed: seed, epoch: epoch, sample: sample)
    return Int(random.number(below: UInt32(count)))
  }
}
