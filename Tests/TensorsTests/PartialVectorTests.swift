import Testing

@testable import Tensors

/// The first lanes of a vector, read and written without touching what lies behind them.
@Suite struct PartialVectorTests {
  private let numbers = (0..<16).map { Float($0 * $0) * 1.37 - 20 }

  @Test(arguments: 0...15) func floats(count: Int) {
    let read = numbers.withUnsafeBufferPointer { Vector($0.baseAddress!, first: count) }
    #expect((0..<16).allSatisfy { read[$0] == ($0 < count ? numbers[$0] : 0) })
    var written = [Float](repeating: -1, count: 16)
    written.withUnsafeMutableBufferPointer {
      Vector(numbers).store($0.baseAddress!, first: count)
    }
    #expect((0..<16).allSatisfy { written[$0] == ($0 < count ? numbers[$0] : -1) })
  }

  @Test(arguments: 0...15) func bfloat16(count: Int) {
    let rounded = numbers.map { BFloat16($0) }
    let read = rounded.withUnsafeBufferPointer {
      BFloat16.load($0.baseAddress!, first: count)
    }
    #expect((0..<16).allSatisfy { read[$0] == ($0 < count ? rounded[$0].float : 0) })
    var written = [BFloat16](repeating: BFloat16(-1), count: 16)
    written.withUnsafeMutableBufferPointer {
      BFloat16.store(Vector(numbers), $0.baseAddress!, first: count)
    }
    #expect((0..<16).allSatisfy { written[$0].float == ($0 < count ? rounded[$0].float : -1) })
  }

  /// The factors of products, from rows and from columns of any number.
  @Test(arguments: [1, 2, 7, 8, 15, 16, 17, 23, 24, 31, 32, 33, 40, 57], [1, 2, 5, 16, 19])
  func panelsHoldWhatTheRowsHold(columns: Int, rows: Int) {
    let values = (0..<rows * columns).map { BFloat16(Float($0 % 113) - 50) }
    func expanded(
      columns: Int, inner: Int, isTransposed: Bool
    ) -> [[Float]] {
      var memory = [Float](
        repeating: .nan, count: BFloat16Panels.count(columns: columns, inner: inner))
      return memory.withUnsafeMutableBufferPointer { memory in
        let panels = BFloat16Panels(memory.baseAddress!, columns: columns, inner: inner)
        values.withUnsafeBufferPointer {
          let view = ElementView($0.baseAddress!, rows: rows, columns: values.count / rows)
          panels.write(RightFactor(view: view, isTransposed: isTransposed))
        }
        return (0..<columns).map { column in
          var numbers = [Float](repeating: .nan, count: inner)
          numbers.withUnsafeMutableBufferPointer {
            panels.expand(column, into: $0.baseAddress!, count: inner)
          }
          return numbers
        }
      }
    }
    let byColumn = expanded(columns: columns, inner: rows, isTransposed: false)
    let byRow = expanded(columns: rows, inner: columns, isTransposed: true)
    for row in 0..<rows {
      for column in 0..<columns {
        let number = values[row * columns + column].float
        #expect(byColumn[column][row] == number && byRow[row][column] == number)
      }
    }
  }
}
