/// A number in a form in which each stands by itself, little-endian and at any address.
protocol StoredElement: BitwiseCopyable {
  var float: Float { get }
  /// Sixteen numbers, one after the other.
  static func vector(_ bytes: UnsafeRawPointer) -> Vector
}

extension StoredElement {
  @inline(__always)
  static var byteCount: Int { MemoryLayout<Self>.stride }

  @inline(__always)
  static func number(_ bytes: UnsafeRawPointer) -> Float {
    bytes.loadUnaligned(as: Self.self).float
  }

  /// The first `count` lanes; the others are zero.
  @inline(__always)
  static func vector(_ bytes: UnsafeRawPointer, first count: Int) -> Vector {
    var vector = Vector.zero
    for lane in 0..<count { vector[lane] = number(bytes + lane * byteCount) }
    return vector
  }

  @inline(__always)
  static func expand(
    _ bytes: UnsafeRawPointer, count: Int, into target: UnsafeMutablePointer<Float>
  ) {
    forEachVector(count) { i in
      vector(bytes + i &* byteCount).store(target + i)
    } partial: { i, lanes in
      for place in i..<i + lanes { target[place] = number(bytes + place * byteCount) }
    }
  }
}

extension Float: StoredElement {
  @inline(__always)
  var float: Float { self }

  @inline(__always)
  static func vector(_ bytes: UnsafeRawPointer) -> Vector {
    bytes.loadUnaligned(as: Vector.self)
  }
}

extension Float16: StoredElement {
  @inline(__always)
  var float: Float { Float(self) }

  @inline(__always)
  static func vector(_ bytes: UnsafeRawPointer) -> Vector {
    Vector(lanesOf: bytes.loadUnaligned(as: SIMD16<Float16>.self))
  }
}

extension BFloat16: StoredElement {
  @inline(__always)
  static func vector(_ bytes: UnsafeRawPointer) -> Vector {
    load(bytes.assumingMemoryBound(to: BFloat16.self))
  }
}
