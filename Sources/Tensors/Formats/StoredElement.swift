/// A form in which each number stands by itself, little-endian and at any address.
protocol StoredElement {
  static var byteCount: Int { get }
  /// Sixteen numbers, one after the other.
  static func vector(_ bytes: UnsafeRawPointer) -> Vector
  static func number(_ bytes: UnsafeRawPointer) -> Float
}

extension StoredElement {
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

enum Float32Element: StoredElement {
  static var byteCount: Int { 4 }

  @inline(__always)
  static func vector(_ bytes: UnsafeRawPointer) -> Vector {
    bytes.loadUnaligned(as: Vector.self)
  }

  @inline(__always)
  static func number(_ bytes: UnsafeRawPointer) -> Float { bytes.loadUnaligned(as: Float.self) }
}

/// IEEE 754 half precision.
enum Float16Element: StoredElement {
  static var byteCount: Int { 2 }

  @inline(__always)
  static func vector(_ bytes: UnsafeRawPointer) -> Vector {
    Vector(lanesOf: bytes.loadUnaligned(as: SIMD16<Float16>.self))
  }

  @inline(__always)
  static func number(_ bytes: UnsafeRawPointer) -> Float {
    Float(bytes.loadUnaligned(as: Float16.self))
  }
}

/// The upper half of a float32.
enum BFloat16Element: StoredElement {
  static var byteCount: Int { 2 }

  @inline(__always)
  static func vector(_ bytes: UnsafeRawPointer) -> Vector {
    let bits = SIMD16<UInt32>(lanesOf: bytes.loadUnaligned(as: SIMD16<UInt16>.self)) &<< 16
    return unsafeBitCast(bits, to: Vector.self)
  }

  @inline(__always)
  static func number(_ bytes: UnsafeRawPointer) -> Float {
    Float(bitPattern: UInt32(bytes.loadUnaligned(as: UInt16.self)) &<< 16)
  }
}
