import Tensors

/// Rows of some heads' columns next to one another, `[heads, rows, head width]` in bfloat16.
///
/// oneDNN's fastest code wants matrices without gaps, and sizes in sixteens: the rows after the last
/// one are zero.
struct HeadRows {
  /// Rows of each head, and with those that fill the last sixteen.
  let count: Int
  let padded: Int
  let width: Int
  private let memory: BFloat16Scratch

  var pointer: UnsafeMutablePointer<BFloat16> { memory.pointer }

  static func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }

  /// Uninitialised rows.
  init(heads: Int, count: Int, width: Int) {
    self.count = count
    padded = HeadRows.padded(count)
    self.width = width
    memory = BFloat16Scratch(count: heads * padded * width)
  }

  /// Copies rows together.
  /// - Parameters:
  ///   - stride: The numbers of a row of x.
  ///   - heads: Query heads that share a head of rows follow one another there.
  init(
    _ x: UnsafePointer<BFloat16>, stride: Int, rows: [Int], heads: Range<Int>, sharing: Int = 1,
    width: Int
  ) {
    self.init(heads: heads.count, count: sharing * rows.count, width: width)
    for head in 0..<heads.count {
      let begin = pointer + head * padded * width
      for shared in 0..<sharing {
        let column = ((heads.lowerBound + head) * sharing + shared) * width
        let target = begin + shared * rows.count * width
        for (index, row) in rows.enumerated() {
          copyVectors(x + (row * stride + column), to: target + index * width, count: width)
        }
      }
      (begin + count * width).update(repeating: BFloat16(0), count: (padded - count) * width)
    }
  }

  /// Copies the rows back to where they belong; arguments as for the copying together.
  func write(
    to y: UnsafeMutablePointer<BFloat16>, stride: Int, rows: [Int], heads: Range<Int>,
    sharing: Int = 1
  ) {
    for head in 0..<heads.count {
      for shared in 0..<sharing {
        let column = ((heads.lowerBound + head) * sharing + shared) * width
        let source = pointer + (head * padded + shared * rows.count) * width
        for (index, row) in rows.enumerated() {
          copyVectors(
            UnsafePointer(source + index * width), to: y + (row * stride + column), count: width)
        }
      }
    }
  }

  /// The first head's matrix, `[padded rows, head width]`.
  var view: ElementView<BFloat16> {
    ElementView(UnsafePointer(pointer), rows: padded, columns: width)
  }

  /// From a head's first number to the next one's.
  var step: Int { padded * width }
}
