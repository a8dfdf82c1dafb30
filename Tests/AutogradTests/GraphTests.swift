import Dispatch
import Foundation
import TestSupport
import Testing

@testable import Autograd
@testable import Tensors

/// What is recorded, what is kept, and when it is let go.
@Suite struct GraphTests {
  @Test func severalPassesAddUp() {
    let leaf = Leaf(shape: [3, 4])
    let value = randomTensor([3, 4], seed: 1)
    let weights: [Float] = [1, 0.5, -2]
    let losses: [() -> Variable] = [
      { Variable(value, leaf: leaf).activated(.gelu).sum() },
      { Variable(value, leaf: leaf).unitRows().rows(1..<2).sum() },
      { (Variable(value, leaf: leaf) * 3).sum() },
    ]
    let together = Gradients()
    var expected = Tensor.zeros([3, 4])
    for (loss, weight) in zip(losses, weights) {
      together.addBackward(from: loss(), weight: weight)
      let alone = Gradients()
      alone.addBackward(from: loss())
      expected.add(alone[leaf]! * weight)
    }
    #expect(difference(together[leaf]!, expected, relative: 1e-6) == nil)
  }

  /// A gradient handed out is a value: a further pass does not change it.
  @Test func gradientsHandedOutStayAsTheyWere() {
    let x = Variable.leaf(randomTensor([4], seed: 1))
    let gradients = Gradients()
    gradients.addBackward(from: x.sum())
    let first = gradients[x]!
    gradients.addBackward(from: (x * 2).sum())
    #expect(first.values == [1, 1, 1, 1])
    #expect(gradients[x]!.values == [3, 3, 3, 3])
  }

  /// A variable used along several ways gets the sum of their gradients, in whatever order.
  @Test func sharedVariables() {
    let x = randomTensor([3, 3], seed: 1)
    let text = gradientDifference([x]) { inputs in
      let h = inputs[0].activated(.gelu)
      let k = h.product(h) + h
      return k.product(inputs[0], .secondTransposed) + h + k
    }
    #expect(text == nil)
  }

  @Test func frozenPartsRecordNothing() {
    let frozen = Variable(randomTensor([4, 4], seed: 1))
    let x = Variable(randomTensor([3, 4], seed: 2))
    #expect(!frozen.needsGradient)
    let places = (0..<3).map { RandomPlace(sample: 0, position: UInt32($0)) }
    let dropout = Dropout(rate: 0.5, generator: Philox(seed: 1), site: 1)
    let layout = AttentionLayout.separate(sequences: 1, length: 3)
    let row = Variable(randomTensor([4], seed: 3))
    let results = [
      x.linear(Weight(frozen), bias: row), x.linear(Weight(frozen), bias: row, activation: .gelu),
      x.activated(.gelu),
      x.product(frozen), x + x, x * 2, x.sum(), x.reshaped([4, 3]), x.transposed(),
      x.rows(0..<1), x.gatheredRows([0]), .concatenatedRows([x, x]),
      x.meanOfRows(inGroupsOf: 3), x.maximumOfRows(inGroupsOf: 3), x.unitRows(),
      x.dropout(dropout, places: places), x.scaledColumns(by: row),
      x.layerNormalised(gamma: row, beta: row, epsilon: 1e-5),
      x.addedAndNormalised(
        to: x, dropout: dropout, places: places, gamma: row, beta: row, epsilon: 1e-5),
      x.attention(
        keys: x, values: x, layout: layout, options: AttentionOptions(headCount: 2, scale: 1)),
      x.crossEntropy(classes: [0, 1, 2]),
      x.linearCrossEntropy(Weight(frozen), bias: row, classes: [0, 1, 2]),
      x.divided(by: Variable(Tensor(2))),
    ]
    for (number, result) in results.enumerated() {
      #expect(!result.needsGradient, "operation \(number)")
    }
  }

  /// Between a trained input and the loss a frozen weight lets gradients through and gets none.
  @Test func frozenWeightsGetNoGradient() {
    let frozen = Variable(randomTensor([4, 4], seed: 1))
    let trained = Variable.leaf(randomTensor([4, 4], seed: 2))
    let x = Variable.leaf(randomTensor([3, 4], seed: 3))
    let gradients = Gradients()
    gradients.addBackward(from: x.linear(Weight(frozen)).linear(Weight(trained)).sum())
    #expect(gradients[frozen] == nil)
    #expect(gradients[trained] != nil && gradients[x] != nil)
    let detached = Gradients()
    detached.addBackward(from: x.detached.linear(Weight(trained)).sum())
    #expect(detached[x] == nil && detached[trained] != nil)
  }

  @Test func recordingCanBeSwitchedOff() throws {
    struct Stop: Error {}
    let leaf = Leaf(shape: [2])
    let value = Tensor([1, 2], shape: [2])
    let y = withoutGradients { () -> Variable in
      let nested = withoutGradients { Variable(value, leaf: leaf) }
      #expect(!nested.needsGradient)
      return Variable(value, leaf: leaf).activated(.gelu)
    }
    #expect(!y.needsGradient)
    #expect(Variable(value, leaf: leaf).needsGradient, "it is on again afterwards")
    #expect(throws: Stop.self) { try withoutGradients { throw Stop() } }
    #expect(Variable(value, leaf: leaf).needsGradient, "after an error too")
  }

  /// One thread may evaluate while another trains.
  @Test func switchingOffIsAMatterOfOneThread() {
    let leaf = Leaf(shape: [2])
    let value = Tensor([1, 2], shape: [2])
    let (entered, checked) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    Thread.detachNewThread {
      withoutGradients {
        entered.signal()
        checked.wait()
      }
    }
    entered.wait()
    #expect(Variable(value, leaf: leaf).needsGradient)
    checked.signal()
  }

  /// What an operation kept is freed by the backward pass, though the result still lives.
  @Test func savedValuesAreFreedInTheBackwardPass() {
    var x: Variable? = .leaf(randomTensor([64, 64], seed: 1))
    var middle: Variable? = x!.activated(.gelu)
    weak let saved = x!.value.storage
    weak let savedMiddle = middle!.value.storage
    let loss = middle!.activated(.gelu).sum()
    (x, middle) = (nil, nil)
    #expect(saved != nil && savedMiddle != nil, "the graph keeps what its gradient needs")
    Gradients().addBackward(from: loss)
    #expect(saved == nil && savedMiddle == nil)
    #expect(loss.needsGradient)
  }

  /// A graph that is dropped without a backward pass is freed as well.
  @Test func droppedGraphsAreFreed() {
    var x: Variable? = .leaf(randomTensor([16], seed: 1))
    weak let saved = x!.value.storage
    var loss: Variable? = x!.activated(.gelu).sum()
    x = nil
    #expect(saved != nil && loss != nil)
    loss = nil
    #expect(saved == nil)
  }

  /// Evaluation keeps nothing: what was an input is free as soon as it goes out of use.
  @Test func nothingIsKeptWithoutRecording() {
    weak var saved: Storage?
    let y = withoutGradients { () -> Variable in
      let x = Variable.leaf(randomTensor([16], seed: 1))
      saved = x.value.storage
      return Variable(x.value).activated(.gelu)
    }
    #expect(saved == nil)
    #expect(y.value.count == 16)
  }

  /// Long chains neither overflow the stack in the backward pass nor when they are freed.
  @Test func longChains() {
    let x = Variable.leaf(Tensor([1, 2], shape: [2]))
    var y = x
    for _ in 0..<50_000 { y = y + x }
    let gradients = Gradients()
    gradients.addBackward(from: y.sum())
    #expect(gradients[x]!.values == [50_001, 50_001])
  }
}
