import Autograd
import Foundation
import Layers
import Tensors
import TestSupport
import Testing

@testable import BLIP2

/// The contrastive loss of two processes with half a batch each against one with all of it.
@Suite struct GatheredContrastTests {
  /// Two threads that hand each other what they gather, in the order in which they ask.
  final class Exchange: @unchecked Sendable {
    private let condition = NSCondition()
    private var posted: [[Int: Any]] = []

    /// Posts one process's part of a round and waits for both.
    func parts<Part>(round: Int, rank: Int, _ own: Part) -> [Part] {
      condition.lock()
      defer { condition.unlock() }
      while posted.count <= round { posted.append([:]) }
      posted[round][rank] = own
      condition.broadcast()
      while posted[round].count < 2 { condition.wait() }
      let parts = (0..<2).compactMap { posted[round][$0] as? Part }
      precondition(parts.count == 2, "the two processes post different things in round \(round)")
      return parts
    }
  }

  final class Process: Communicator {
    let exchange: Exchange
    let rank: Int
    private var round = 0

    init(_ exchange: Exchange, rank: Int) {
      self.exchange = exchange
      self.rank = rank
    }

    private func parts<Part>(_ own: Part) -> [Part] {
      defer { round += 1 }
      return exchange.parts(round: round, rank: rank, own)
    }

    func gathered(_ rows: Tensor) -> (all: Tensor, offset: Int) {
      let parts = parts(rows)
      let all = Variable.concatenatedRows(parts.map { Variable($0) }).value
      return (all, rank == 0 ? 0 : parts[0].rowCount)
    }

    func gathered(_ ids: [Int64]) -> [Int64] { parts(ids).flatMap { $0 } }
  }

  struct Outcome: @unchecked Sendable {
    let loss: Float
    let gradients: [String: Tensor]
    let features: Tensor
  }

  /// What both threads leave; each writes a place of its own.
  final class Halves: @unchecked Sendable {
    var first: Outcome?
    var second: Outcome?
  }

  private static func outcome(
    _ model: StageOneModel, _ batch: StageOneBatch, _ communicator: some Communicator
  ) -> Outcome {
    let losses = model.losses(
      batch, negatives: .given(HardNegatives(images: [], texts: [])), communicator: communicator)
    let gradients = Gradients()
    gradients.addBackward(from: losses.total)
    return Outcome(
      loss: losses.contrast!.value.scalar,
      gradients: Dictionary(
        uniqueKeysWithValues: model.namedParameters.compactMap { entry in
          entry.parameter.gradient(in: gradients).map { (entry.name, $0) }
        }), features: gradients[batch.features]!)
  }

  @Test(arguments: [nil, [3, 5, 5, 6, 3, 8]] as [[Int64]?])
  func halvesEqualTheWhole(_ imageIds: [Int64]?) throws {
    let model = TinyStageOne.model {
      $0.objectives.matching = false
      $0.objectives.generation = false
    }
    let ids = imageIds ?? [0, 1, 2, 3, 4, 5]
    let whole = Self.outcome(model, TinyStageOne.batch(0..<6, imageIds: ids), SingleProcess())
    let exchange = Exchange()
    let halves = Halves()
    @Sendable func run(_ rank: Int) {
      let batch = TinyStageOne.batch(rank * 3..<(rank + 1) * 3, imageIds: ids)
      let outcome = Self.outcome(model, batch, Process(exchange, rank: rank))
      if rank == 0 { halves.first = outcome } else { halves.second = outcome }
    }
    let finished = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      run(1)
      finished.signal()
    }
    run(0)
    finished.wait()
    let (first, second) = (try #require(halves.first), try #require(halves.second))
    let mean = (first.loss + second.loss) / 2
    #expect(difference(Tensor(mean), Tensor(whole.loss), relative: 1e-5, absolute: 0) == nil)
    #expect(Set(first.gradients.keys) == Set(whole.gradients.keys))
    for (name, expected) in whole.gradients {
      let sum = try #require(first.gradients[name]) + #require(second.gradients[name])
      let isKeyBias = name.hasSuffix("key.bias")
      #expect(
        difference(sum * 0.5, isKeyBias ? .zeros(expected.shape) : expected, relative: 1e-4) == nil,
        "\(name)")
    }
    let features = Tensor(
      first.features.values + second.features.values, shape: whole.features.shape)
    #expect(difference(features * 0.5, whole.features, relative: 1e-4) == nil)
  }

  /// A half that is not told of the other computes something else.
  @Test func theOtherHalfMatters() {
    let model = TinyStageOne.model {
      $0.objectives.matching = false
      $0.objectives.generation = false
    }
    let alone = Self.outcome(model, TinyStageOne.batch(0..<3), SingleProcess())
    let whole = Self.outcome(model, TinyStageOne.batch(0..<6), SingleProcess())
    #expect(abs(alone.loss - whole.loss) > 0.1)
  }
}
