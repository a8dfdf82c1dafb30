extension RangeReplaceableCollection<UInt8> {
  /// Appends numbers, one after the other, as little-endian bytes.
  package mutating func append<Number: FixedWidthInteger>(littleEndian numbers: Number...) {
    for number in numbers {
      withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }
  }
}
