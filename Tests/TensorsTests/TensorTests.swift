import TestSupport
import Testing

@testable import Tensors

/// A tensor is a value, though rows and reshaped tensors share its storage.
@Suite struct TensorTests {
  @Test func shapes() {
    let x = Tensor((0..<24).map { Float($0) }, shape: [2, 3, 4])
    #expect(x.count == 24 && x.width == 4 && x.rowCount == 6)
    let scalar = Tensor(2.5)
    #expect(scalar.shape == [] && scalar.count == 1 && scalar.width == 1 && scalar.rowCount == 1)
    #expect(scalar.scalar == 2.5)
    let empty = Tensor.zeros([0, 3])
    #expect(empty.count == 0 && empty.rowCount == 0 && empty.values == [])
    #expect(x.reshaped([6, 4]).values == x.values)
    #expect(x.rows(4..<6).shape == [2, 4])
    #expect(x.rows(4..<6).values == (16..<24).map { Float($0) })
    #expect(x.rows(2..<5).rows(1..<2).values == [12, 13, 14, 15])
    #expect(x.rows(6..<6).values == [])
  }

  @Test func copiesAreWrittenApart() {
    let original = Tensor([1, 2, 3, 4], shape: [2, 2])
    var copy = original
    #expect(copy.storage === original.storage)
    copy.modify { $0[0] = 9 }
    #expect(copy.values == [9, 2, 3, 4])
    #expect(original.values == [1, 2, 3, 4])
  }

  @Test func aSoleOwnerIsWrittenInPlace() {
    var x = Tensor([1, 2], shape: [2])
    let storage = ObjectIdentifier(x.storage)
    x.modify { $0[1] = 5 }
    #expect(ObjectIdentifier(x.storage) == storage && x.values == [1, 5])
  }

  @Test func rowsAndShapesShareStorage() {
    let x = Tensor((0..<6).map { Float($0) }, shape: [3, 2])
    var row = x.rows(1..<2)
    var flat = x.reshaped([6])
    #expect(row.storage === x.storage && flat.storage === x.storage)
    row.modify { $0[0] = -1 }
    flat.modify { $0[5] = -2 }
    #expect(row.values == [-1, 3] && row.shape == [1, 2])
    #expect(flat.values == [0, 1, 2, 3, 4, -2] && flat.shape == [6])
    #expect(x.values == [0, 1, 2, 3, 4, 5])
  }

  @Test func aRowThatOwnsItsStorageAloneStaysInItsPlace() {
    var row = Tensor((0..<6).map { Float($0) }, shape: [3, 2]).rows(1..<3)
    row.modify { $0[3] = 8 }
    #expect(row.values == [2, 3, 4, 8])
  }

  /// Memory that belongs to somebody else, as a mapped file's, is read but never written to.
  @Test func borrowedStorageIsNeverWritten() {
    final class Owner {
      let memory = UnsafeMutablePointer<Float>.allocate(capacity: 4)
      let onRelease: () -> Void
      init(onRelease: @escaping () -> Void) {
        self.onRelease = onRelease
        for index in 0..<4 { memory[index] = Float(index) }
      }
      deinit {
        memory.deallocate()
        onRelease()
      }
    }
    var released = false
    do {
      let owner = Owner { released = true }
      var x = Tensor(borrowing: owner.memory, shape: [2, 2], owner: owner)
      x.read { #expect($0 == UnsafePointer(owner.memory)) }
      x.modify { $0[0] = 7 }
      #expect(x.values == [7, 1, 2, 3])
      #expect(owner.memory[0] == 0)
      x.modify { $0[1] = 8 }
      #expect(x.values == [7, 8, 2, 3] && owner.memory[1] == 1)
    }
    #expect(released)
    released = false
    var row: Tensor?
    do {
      let owner = Owner { released = true }
      row = Tensor(borrowing: owner.memory, shape: [2, 2], owner: owner).rows(1..<2)
    }
    #expect(!released && row?.values == [2, 3], "a row keeps the file mapped")
    row = nil
    #expect(released)
  }

  @Test(arguments: [0, 1, 15, 16, 17, 16_384, 40_003])
  func elementwise(_ count: Int) {
    let a = randomTensor([count], seed: 1)
    let b = randomTensor([count], seed: 2)
    let pairs = zip(a.values, b.values)
    #expect((a + b).values == pairs.map { $0 + $1 })
    #expect((a - b).values == pairs.map { $0 - $1 })
    #expect((a * b).values == pairs.map { $0 * $1 })
    #expect((a * 3).values == a.values.map { $0 * 3 } && (3 * a).values == (a * 3).values)
    var sum = a
    sum.add(b)
    #expect(sum.values == (a + b).values)
    sum = a
    sum.add(sum)
    #expect(sum.values == a.values.map { $0 + $0 }, "added to itself")
  }
}

/// Sums are the same numbers every time, whatever threads take part.
@Suite struct ReductionTests {
  @Test(arguments: [0, 1, 17, 65_536, 65_537, 300_001])
  func sums(_ count: Int) {
    let x = randomTensor([count], seed: 3)
    let values = x.values
    // By definition: runs of 65,536 in double precision, then the runs in their order.
    let expected = stride(from: 0, to: count, by: 65_536).map { start in
      values[start..<min(count, start + 65_536)].reduce(0.0) { $0 + Double($1) }
    }.reduce(0, +)
    #expect(x.sum() == expected)
    let squares = values.reduce(0.0) { $0 + Double($1) * Double($1) }
    let norm = x.squaredNorm()
    #expect(abs(norm - squares) <= 2e-6 * squares)
    for _ in 0..<20 { #expect(x.sum() == expected && x.squaredNorm() == norm) }
  }

  @Test(arguments: [[1, 1], [3, 17], [500, 65], [0, 4], [70, 300]])
  func columnSums(_ shape: [Int]) {
    let x = randomTensor(shape, seed: 4)
    let sums = x.columnSums()
    #expect(sums.shape == [shape[1]])
    let values = x.values
    for column in 0..<shape[1] {
      let exact = (0..<shape[0]).reduce(0.0) { $0 + Double(values[$1 * shape[1] + column]) }
      #expect(abs(Double(sums.values[column]) - exact) < 1e-6 * Double(shape[0] + 1))
    }
    var target = Tensor(repeating: 10, shape: [shape[1]])
    target.modify { x.addColumnSums(to: $0) }
    #expect(difference(target, sums.mapped { $0 + 10 }, relative: 1e-5) == nil)
    for _ in 0..<20 { #expect(x.columnSums().values == sums.values) }
  }
}
