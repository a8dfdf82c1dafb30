import Autograd
import Layers
import Objectives
import Tensors
import TestSupport
import Testing

@testable import Training

/// Several processes, threads here, that each update a share of the parameters.
@Suite(.timeLimit(.minutes(5))) struct ParameterShardsTests {
  /// Of sizes that no number divides; one has no axis.
  private static let shapes = [[3, 5], [], [7], [2, 2], [11]]

  private static func parameters() -> [NamedParameter] {
    shapes.enumerated().map { index, shape in
      NamedParameter(
        name: "p\(index)",
        parameter: Parameter(shape: shape, decays: shape.count > 1) {
          randomTensor(shape, seed: UInt64(index))
        })
    }
  }

  /// One process's part of the gradients of a step; the second parameter has none in odd steps.
  private static func part(_ index: Int, rank: Int, step: Int) -> Tensor? {
    index == 1 && step % 2 == 1
      ? nil : randomTensor(shapes[index], seed: UInt64(100 * step + 10 * rank + index))
  }

  /// Takes steps from one to another.
  private static func train(
    _ optimizer: AdamW, steps: Range<Int>, _ gradient: (_ index: Int, _ step: Int) -> Tensor?
  ) {
    for step in steps {
      let gradients = Gradients()
      for (index, entry) in optimizer.entries.enumerated() {
        entry.parameter.setGradient(gradient(index, step), in: gradients)
      }
      optimizer.update(gradients, rate: 0.01, gradientScale: 0.5)
    }
  }

  private static func optimizer(_ communicator: any Communicator = SingleProcess()) -> AdamW {
    AdamW(AdamWConfiguration(), parameters: parameters(), communicator: communicator) {
      $0.shape == [7] ? 0.1 : 1
    }
  }

  private static func bits(_ snapshot: AdamW.Snapshot?) -> [[UInt32]]? {
    snapshot?.entries.flatMap { [$0.value, $0.firstMoment, $0.secondMoment] }
      .map { $0.values.map(\.bitPattern) }
  }

  /// What one process has of the whole gradients, with sums in the order of ranks, they have to the bit,
  /// also where they go on with the moments of another number of them.
  @Test(arguments: [2, 3, 4]) func sharesEqualTheWhole(_ count: Int) throws {
    let whole = Self.optimizer()
    func sum(_ index: Int, _ step: Int) -> Tensor? {
      let parts = (0..<count).compactMap { Self.part(index, rank: $0, step: step) }
      return parts.first.map { parts.dropFirst().reduce($0, +) }
    }
    Self.train(whole, steps: 0..<3, sum)
    let begun = try #require(whole.snapshot())
    let afterThree = Self.bits(begun)
    Self.train(whole, steps: 3..<5, sum)
    let expected = Self.bits(whole.snapshot())

    let found = inThreads(count) { communicator in
      let (rank, own) = (communicator.rank, Self.optimizer(communicator))
      Self.train(own, steps: 0..<3) { Self.part($0, rank: rank, step: $1) }
      let first = Self.bits(own.snapshot())
      let resumed = Self.optimizer(communicator)
      for (index, entry) in begun.entries.enumerated() {
        resumed.entries[index].parameter.value = entry.value
        resumed.setMoments(index, first: entry.firstMoment, second: entry.secondMoment)
      }
      resumed.updates = begun.updates
      Self.train(resumed, steps: 3..<5) { Self.part($0, rank: rank, step: $1) }
      let held = own.entries.reduce(0) { $0 + $1.firstMoment.count }
      return (held, first, Self.bits(resumed.snapshot()), resumed.checksums())
    }
    let values = Self.shapes.reduce(0) { $0 + $1.reduce(1, *) }
    #expect(found.reduce(0) { $0 + $1.0 } == values)
    #expect(found.allSatisfy { $0.0 <= values / count + 1 })
    #expect(found[0].1 == afterThree && found[0].2 == expected)
    #expect(found.dropFirst().allSatisfy { $0.1 == nil && $0.2 == nil })
    #expect(Set(found.flatMap(\.3)).count == 1)
  }

  /// Parameters that travel in several groups, one of them larger than a group; some runs are empty.
  @Test(arguments: [2, 3, 5]) func groups(_ count: Int) {
    let sums = inThreads(count) { communicator in
      let parameters = Self.parameters().map(\.parameter)
      let shards = ParameterShards(parameters, communicator, groupSize: 8)
      let gradients = Gradients()
      for (index, parameter) in parameters.enumerated() {
        parameter.setGradient(Self.part(index, rank: communicator.rank, step: 0), in: gradients)
      }
      let own = shards.summed(gradients).compactMap { $0 }
      return (own, shards.gathered(own))
    }
    let expected = Self.shapes.indices.map { index in
      let parts = (0..<count).compactMap { Self.part(index, rank: $0, step: 0) }
      return parts.dropFirst().reduce(parts[0], +)
    }
    #expect(sums[0].1?.map(\.shape) == Self.shapes)
    #expect(sums[0].1?.map(\.values) == expected.map(\.values))
    let squares = sums.flatMap(\.0).reduce(0) { $0 + $1.squaredNorm() }
    #expect(abs(squares.squareRoot() - GradientNorm.global(expected)) < 1e-6)
  }
}

/// How processes learn that one of them cannot go on.
@Suite(.timeLimit(.minutes(5))) struct AgreementTests {
  private struct Broken: Error {}

  /// What becomes of something that ends in each process as it is said here; nil for well.
  private static func endings(_ own: [(any Error & Sendable)?]) -> [String] {
    inThreads(own.count) { communicator in
      let result = Result {
        try communicator.agreed {
          if let error = own[communicator.rank] { throw error }
          return "done"
        }
      }
      return switch result {
      case .success(let text): text
      case .failure(is FailureElsewhere): "elsewhere"
      case .failure(let interruption as Interrupted): "signal \(interruption.signal)"
      case .failure: "failed"
      }
    }
  }

  @Test func whereOneFailsAllEnd() {
    let signal = Interrupted(signal: 15)
    #expect(Self.endings([nil, nil, nil]) == ["done", "done", "done"])
    #expect(Self.endings([nil, Broken(), nil]) == ["elsewhere", "failed", "elsewhere"])
    // The first tells of it.
    #expect(Self.endings([nil, Broken(), Broken()]) == ["elsewhere", "failed", "elsewhere"])
    #expect(Self.endings([nil, nil, signal]) == ["signal 15", "signal 15", "signal 15"])
    #expect(Self.endings([signal, nil, Broken()]) == ["elsewhere", "elsewhere", "failed"])
    #expect(Self.endings([Broken()]) == ["failed"])
  }
}
