import TestSupport
import Testing

@testable import Tensors

/// Dropout masks against their definition, draw by draw.
@Suite struct DropoutTests {
  static let widths = [1, 15, 16, 17, 127, 128, 129, 300]

  /// What a row of ones becomes.
  private func mask(_ dropout: Dropout, _ width: Int, _ place: RandomPlace) -> [Float] {
    let ones = [Float](repeating: 1, count: width)
    // A value beyond the row shows a write too far.
    var row = [Float](repeating: -7, count: width + 1)
    dropout.apply(to: &row, from: ones, count: width, place: place)
    #expect(row[width] == -7)
    return Array(row[..<width])
  }

  /// Column c draws 16 bits: those of lane c mod 16, of the half word (c mod 128) / 16, of the block
  /// c / 128. A checkpoint's run can be continued only while this stays so.
  @Test(arguments: widths, [Float(0.1), 0.5, 0.999])
  func followsItsDefinition(_ width: Int, rate: Float) {
    let generator = Philox(seed: 11)
    let place = RandomPlace(sample: 77, position: 5)
    let found = mask(Dropout(rate: rate, generator: generator, site: 3), width, place)
    let threshold = UInt32((rate * 65_536).rounded())
    let scale = 65_536 / Float(65_536 - threshold)
    for column in 0..<width {
      let half = column % 128 / 16
      let counter = UInt32(column / 128 * 16 + column % 16)
      let word = generator.words(at: SIMD4(counter, place.position, place.sample, 3))[half / 2]
      let draw = half % 2 == 0 ? word & 0xffff : word >> 16
      #expect(found[column] == (draw < threshold ? 0 : scale), "column \(column)")
    }
  }

  @Test(arguments: [Float(0), 0.1, 0.3, 0.9])
  func rateAndScale(_ rate: Float) {
    let dropout = Dropout(rate: rate, generator: Philox(seed: 4), site: 1)
    let (rows, width) = (2000, 512)
    var dropped = 0
    var sum = 0.0
    for row in 0..<rows {
      let values = mask(dropout, width, RandomPlace(sample: 1, position: UInt32(row)))
      dropped += values.count { $0 == 0 }
      sum += values.reduce(0.0) { $0 + Double($1) }
    }
    let count = Double(rows * width)
    let deviation = (Double(rate) * Double(1 - rate) / count).squareRoot()
    // 16 bits express a rate within 2⁻¹⁷.
    #expect(abs(Double(dropped) / count - Double(rate)) <= 4.5 * deviation + 0x1p-17)
    let scale = 1 / Double(1 - rate)
    #expect(abs(sum / count - 1) <= 4.5 * deviation * scale + 0x1p-15)
  }

  /// A row's mask is the same wherever the row lies, however wide it is, in place or not.
  @Test(arguments: widths)
  func dependsOnThePlaceAlone(_ width: Int) {
    let dropout = Dropout(rate: 0.4, generator: Philox(seed: 6), site: 2)
    let place = RandomPlace(sample: 9, position: 1)
    let alone = mask(dropout, width, place)
    let wide = mask(dropout, 400, place)
    #expect(alone == Array(wide[..<width]))
    let ones = [Float](repeating: 1, count: width)
    for offset in [1, 3, 16] {
      var packed = [Float](repeating: 1, count: offset + width)
      packed.withUnsafeMutableBufferPointer { buffer in
        let row = buffer.baseAddress! + offset
        dropout.apply(to: row, from: row, count: width, place: place)
      }
      #expect(Array(packed[offset...]) == alone)
      #expect(packed[..<offset].allSatisfy { $0 == 1 })
    }
    var zeros = ones
    dropout.apply(to: &zeros, from: alone, count: width, place: place)
    #expect(zip(zeros, alone).allSatisfy { ($0 == 0) == ($1 == 0) }, "the mask drawn again")
  }

  /// Masks at other places agree as often as chance has it.
  @Test func placesAreIndependent() {
    let generator = Philox(seed: 8)
    let width = 20_000
    let base = mask(
      Dropout(rate: 0.5, generator: generator, site: 1), width, RandomPlace(sample: 1, position: 1))
    let others = [
      (Dropout(rate: 0.5, generator: generator, site: 2), RandomPlace(sample: 1, position: 1)),
      (Dropout(rate: 0.5, generator: generator, site: 1), RandomPlace(sample: 2, position: 1)),
      (Dropout(rate: 0.5, generator: generator, site: 1), RandomPlace(sample: 1, position: 2)),
      (
        Dropout(rate: 0.5, generator: Philox(seed: 9), site: 1), RandomPlace(sample: 1, position: 1)
      ),
    ]
    for (number, (dropout, place)) in others.enumerated() {
      let agreeing = zip(base, mask(dropout, width, place)).count { $0 == $1 }
      // Five standard deviations of a fair coin thrown 20,000 times.
      #expect(abs(agreeing - width / 2) < 354, "place \(number)")
    }
  }

  /// What is dropped becomes zero even if it is not a number: a product would keep it.
  @Test func droppedValuesAreZeroWhateverTheyWere() {
    let dropout = Dropout(rate: 0.5, generator: Philox(seed: 1), site: 1)
    let place = RandomPlace(sample: 0, position: 0)
    let pattern = mask(dropout, 40, place)
    var row = [Float](repeating: .infinity, count: 40)
    dropout.apply(to: &row, from: row, count: 40, place: place)
    #expect(zip(row, pattern).allSatisfy { $0 == ($1 == 0 ? 0 : .infinity) })
  }
}
