/// Rows of pixels somewhere in memory, possibly part of a larger image.
struct PixelRows {
  /// From the first sample on to the end of what may be read.
  let bytes: UnsafeRawBufferPointer
  /// The bytes from one row to the next.
  let stride: Int
  let width: Int
  let height: Int

  /// Resizes the rows, then the columns, each only where that changes something.
  ///
  /// - Parameter output: Room for `[size.height, size.width, 3]`.
  func resize(to size: ImageSize, into output: UnsafeMutableRawPointer) {
    if width == size.width {
      resizeColumns(to: size.height, into: output)
    } else if height == size.height {
      resizeRows(to: size.width, into: output)
    } else {
      let stride = size.width * 3
      withUnsafeTemporaryAllocation(byteCount: stride * height, alignment: 64) { narrowed in
        guard let base = narrowed.baseAddress else { return }
        resizeRows(to: size.width, into: base)
        let rows = PixelRows(
          bytes: UnsafeRawBufferPointer(narrowed), stride: stride, width: size.width,
          height: height)
        rows.resizeColumns(to: size.height, into: output)
      }
    }
  }

  // MARK: Horizontal pass

  /// Writes `[height, newWidth, 3]`.
  private func resizeRows(to newWidth: Int, into output: UnsafeMutableRawPointer) {
    let taps = RowTaps(BicubicWeights(from: width, to: newWidth))
    withUnsafeTemporaryAllocation(byteCount: 4 * taps.reach, alignment: 64) { padded in
      padded.initializeMemory(as: UInt8.self, repeating: 0)
      guard let padding = padded.baseAddress, let base = bytes.baseAddress else { return }
      // Loads of 16 bytes reach beyond the last pixel used. Where that would leave the image, the
      // row is copied to a place with room behind it.
      func samples(_ row: Int, _ slot: Int) -> UnsafeRawPointer {
        let samples = base + row * stride
        if bytes.count - row * stride >= taps.reach { return samples }
        let copy = padding + slot * taps.reach
        copy.copyMemory(from: samples, byteCount: width * 3)
        return UnsafeRawPointer(copy)
      }
      func place(_ row: Int) -> UnsafeMutableRawPointer { output + row * newWidth * 3 }
      for first in Swift.stride(from: 0, to: height, by: 4) {
        // The last row takes the places of those that are missing to four.
        let (second, third, fourth) = (
          min(first + 1, height - 1), min(first + 2, height - 1), min(first + 3, height - 1)
        )
        taps.resize(
          (samples(first, 0), samples(second, 1), samples(third, 2), samples(fourth, 3)),
          into: (place(first), place(second), place(third), place(fourth)))
      }
    }
  }

  // MARK: Vertical pass

  /// Writes `[newHeight, width, 3]`.
  private func resizeColumns(to newHeight: Int, into output: UnsafeMutableRawPointer) {
    guard let source = bytes.baseAddress else { return }
    let rowLength = width * 3
    guard newHeight != height else {
      for row in 0..<height {
        (output + row * rowLength).copyMemory(
          from: source + row * stride, byteCount: rowLength)
      }
      return
    }
    let weights = BicubicWeights(from: height, to: newHeight)
    weights.values.withUnsafeBufferPointer { values in
      for row in 0..<newHeight {
        let range = weights.offsets[row]..<weights.offsets[row + 1]
        Self.combine(
          rows: source + weights.starts[row] * stride, stride: stride,
          weights: UnsafeBufferPointer(rebasing: values[range]), length: rowLength,
          into: output + row * rowLength)
      }
    }
  }

  /// Writes the weighted sum of successive rows, 16 samples at a time.
  @inline(__always)
  private static func combine(
    rows: UnsafeRawPointer, stride: Int, weights: UnsafeBufferPointer<Int32>, length: Int,
    into output: UnsafeMutableRawPointer
  ) {
    var column = 0
    while column + 16 <= length {
      var sums = SIMD16<Int32>(repeating: fixedPointHalf)
      var place = rows + column
      for weight in weights {
        let samples = place.loadUnaligned(as: SIMD16<UInt8>.self)
        sums &+= SIMD16<Int32>(truncatingIfNeeded: samples) &* weight
        place += stride
      }
      output.storeBytes(of: eightBits(sums), toByteOffset: column, as: SIMD16<UInt8>.self)
      column += 16
    }
    while column < length {
      var sum = fixedPointHalf
      for (index, weight) in weights.enumerated() {
        let sample = (rows + (index * stride + column)).load(as: UInt8.self)
        sum &+= Int32(sample) &* weight
      }
      let value = max(0, min(255, sum >> BicubicWeights.precisionBits))
      output.storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: column, as: UInt8.self)
      column += 1
    }
  }
}
