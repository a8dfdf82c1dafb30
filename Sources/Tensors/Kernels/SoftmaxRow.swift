/// Softmax with dropout over one row of scores, and its gradient: what attention does between its
/// matrix products, in every precision, in training and in decoding.
///
/// Rows are read and written in whole vectors, so all have room for `length` numbers. With
/// `e = exp(scale · s − largest)` and `sum` the sum of e, the probabilities are `p = e / sum`.
public struct SoftmaxRow {
  /// How many keys the row sees: the scores that count.
  public let visible: Int
  /// How many numbers of a result are written: zeros beyond `visible`.
  public let length: Int
  /// The positive factor of the scores.
  public let scale: Float
  /// Whether the scores have been multiplied by the factor already.
  public let isScaled: Bool
  public let dropout: Dropout?
  /// Where the row's draws belong.
  public let place: RandomPlace

  public init(
    visible: Int, length: Int, scale: Float, isScaled: Bool = false, dropout: Dropout? = nil,
    place: RandomPlace = RandomPlace()
  ) {
    (self.visible, self.length, self.scale, self.isScaled) = (visible, length, scale, isScaled)
    (self.dropout, self.place) = (dropout, place)
  }

  /// The room for a row of so many keys: whole vectors.
  @inlinable
  public static func length(_ keys: Int) -> Int { (keys + 15) / 16 * 16 }

  @usableFromInline var padded: Int { SoftmaxRow.length(visible) }
  @usableFromInline var scoreScale: Float { isScaled ? 1 : scale }

  /// Writes e, zeroed where dropout drops it: the probabilities after dropout are
  /// `e · dropout.scale / sum`.
  /// - Parameters:
  ///   - s: The scores; numbers beyond the visible ones are overwritten.
  ///   - e: May be where s is.
  ///   - drops: False to leave dropout to `drop`.
  /// - Returns: The largest of `scale · s`, and the sum of e before dropout.
  @inlinable @inline(never)
  public func exponentials<Number: LaneElement>(
    of s: UnsafeMutablePointer<Float>, into e: UnsafeMutablePointer<Number>, drops: Bool = true
  ) -> (largest: Float, sum: Float) {
    fillLastVector(s)
    let largest = maximumOfVectors(s, count: padded) * scoreScale
    let scale = scoreScale
    var sums = Vector.zero
    if drops, let dropout {
      dropout.forEachMask(count: visible, place: place) { i, kept in
        let share = exponential(s + i, scale, less: largest, as: Number.self)
        sums += share
        Number.store(Vector.zero.replacing(with: share, where: kept), e + i)
      }
    } else {
      var i = 0
      while i < padded {
        let share = exponential(s + i, scale, less: largest, as: Number.self)
        sums += share
        Number.store(share, e + i)
        i &+= 16
      }
    }
    clear(e)
    return (largest, sums.laneSum)
  }

  /// Writes e after dropout where the exponentials before it are kept as well.
  /// - Returns: The sum of what is left.
  @inlinable @inline(never)
  public func drop<Number: LaneElement>(
    _ undropped: UnsafePointer<Number>, into e: UnsafeMutablePointer<Number>
  ) -> Float {
    var sums = Vector.zero
    dropout?.forEachMask(count: visible, place: place) { i, kept in
      let left = Vector.zero.replacing(with: Number.load(undropped + i), where: kept)
      sums += left
      Number.store(left, e + i)
    }
    clear(e)
    return sums.laneSum
  }

  /// Writes the probabilities after dropout, made again from the scores, and the scores' gradients.
  /// - Parameters:
  ///   - s: The scores; numbers beyond the visible ones are overwritten.
  ///   - logSum: `largest + log(sum)`.
  ///   - dp: The gradients of the probabilities after dropout.
  ///   - delta: The sum of `p · dropout(dp)`.
  ///   - p: May be where s is; nil if they are not wanted.
  ///   - ds: `scale · p · (dropout(dp) − delta)`; may be where dp is.
  @inlinable @inline(never)
  public func gradients<Number: LaneElement>(
    scores s: UnsafeMutablePointer<Float>, logSum: Float, dp: UnsafePointer<Float>, delta: Float,
    into p: UnsafeMutablePointer<Number>?, _ ds: UnsafeMutablePointer<Number>
  ) {
    fillLastVector(s)
    let scale = scoreScale
    gradients(dp: dp, delta: delta, into: p, ds) { i in
      exponential(s + i, scale, less: logSum, as: Number.self)
    }
  }

  /// Writes the scores' gradients where the exponentials before dropout were kept.
  /// - Parameter inverse: `1 / sum`.
  @inlinable @inline(never)
  public func gradients<Number: LaneElement>(
    exponentials e: UnsafePointer<Number>, inverse: Float, dp: UnsafePointer<Float>, delta: Float,
    into ds: UnsafeMutablePointer<Number>
  ) {
    gradients(dp: dp, delta: delta, into: nil, ds) { i in Number.load(e + i) * inverse }
  }

  /// - Parameter share: Sixteen probabilities before dropout.
  @inlinable @inline(__always)
  func gradients<Number: LaneElement>(
    dp: UnsafePointer<Float>, delta: Float, into p: UnsafeMutablePointer<Number>?,
    _ ds: UnsafeMutablePointer<Number>, _ share: (Int) -> Vector
  ) {
    if let dropout {
      dropout.forEachMask(count: visible, place: place) { i, kept in
        let (share, dp) = (share(i), Vector(dp + i))
        let factor = Vector.zero.replacing(with: dropout.scale, where: kept)
        if let p { Number.store(share * factor, p + i) }
        Number.store((dp * factor - delta) * share * scale, ds + i)
      }
    } else {
      var i = 0
      while i < padded {
        let (share, dp) = (share(i), Vector(dp + i))
        if let p { Number.store(share, p + i) }
        Number.store((dp - delta) * share * scale, ds + i)
        i &+= 16
      }
    }
    if let p { clear(p) }
    clear(ds)
  }

  /// Sixteen of exp(scale · s − shift). The loops hold scalars: vectors that closures hold go through memory
  /// in parts.
  @inlinable @inline(__always)
  func exponential<Number: LaneElement>(
    _ s: UnsafePointer<Float>, _ scale: Float, less shift: Float, as number: Number.Type
  ) -> Vector {
    Number.value(
      Exponential.self,
      Vector(repeating: -shift).addingProduct(Vector(s), Vector(repeating: scale)))
  }

  /// Fills the last vector of visible scores with what is as good as no score.
  @inlinable @inline(__always)
  func fillLastVector(_ s: UnsafeMutablePointer<Float>) {
    for place in visible..<padded { s[place] = -1e30 }
  }

  /// The last vector's rest holds what is as good as zero, but products read it as zero.
  @inlinable @inline(__always)
  func clear<Number>(_ x: UnsafeMutablePointer<Number>) {
    UnsafeMutableRawPointer(x + visible).initializeMemory(
      as: UInt8.self, repeating: 0, count: (length - visible) * MemoryLayout<Number>.stride)
  }
}

/// e to the power of each value.
@usableFromInline
enum Exponential: UnaryFunction {
  @inlinable @inline(__always)
  static func value(_ x: Vector) -> Vector { x.exponential() }
  @inlinable @inline(__always)
  static func roundedValue(_ x: Vector) -> Vector { x.roundedExponential() }
}
