import Tensors

/// What the processes that train one batch together say to one another. All of them call the same
/// functions in the same order; each call returns once all have made it.
///
/// A batch's pairs have numbers in the whole. A process has some of them, in the order of their numbers,
/// and not as many as the others, if need be.
public protocol Communicator {
  /// Which of the processes this is, counted from 0.
  var rank: Int { get }
  /// How many there are.
  var count: Int { get }

  /// Everybody's numbers, by rank: pairs, images, tokens, choices of negatives.
  func gathered(_ numbers: [Int64]) -> [[Int64]]
  /// Everybody's rows, by rank.
  /// - Parameter rows: `[own rows, width]`.
  func gathered(_ rows: Tensor) -> [Tensor]
  /// The sums over all, with the same bits everywhere.
  func summed(_ values: Tensor) -> Tensor
  /// Hands rows to others: the features of negatives to whoever judges them, and their gradients back.
  /// - Parameter rows: For each rank what goes there, `[rows, width]`; nil for nothing.
  /// - Returns: By rank, what came from there.
  func exchanged(_ rows: [Tensor?]) -> [Tensor?]
  /// Whether anybody says so: that a signal came, that a gradient is not finite.
  func any(_ flag: Bool) -> Bool
  /// A process in words, such as "process 2 on node7".
  func name(of rank: Int) -> String
}

extension Communicator {
  public func name(of rank: Int) -> String { "process \(rank)" }

  /// Everybody's texts, by rank.
  public func gathered(_ texts: [String]) -> [[String]] {
    if count == 1 { return [texts] }
    let words = texts.map { Array($0.utf8) }
    return gathered(
      [Int64(words.count)] + words.map { Int64($0.count) } + words.joined().map(Int64.init)
    )
    .map { message in
      let lengths = message[1...].prefix(Int(message[0]))
      var rest = message.dropFirst(1 + lengths.count)
      return lengths.map { length in
        defer { rest = rest.dropFirst(Int(length)) }
        return String(
          decoding: rest.prefix(Int(length)).map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
      }
    }
  }

  /// The run of so many values that each process has, by rank: as even as can be.
  public func runs(of size: Int) -> [Range<Int>] {
    (0..<count).map { $0 * size / count..<($0 + 1) * size / count }
  }

  /// The sums over all of the own run alone, added in the order of ranks (a reduce-scatter).
  /// - Parameters:
  ///   - values: As many everywhere.
  ///   - runs: By rank, which of them it gets.
  /// - Returns: `[values of the own run]`.
  public func summedRun(_ values: Tensor, _ runs: [Range<Int>]) -> Tensor {
    let flat = values.reshaped([values.count, 1])
    let parts = exchanged(runs.map { flat.rows($0).reshaped([$0.count]) }).compactMap { $0 }
    var sum = parts[0]
    for part in parts.dropFirst() { sum.add(part) }
    return sum
  }

  /// Everybody's values, one after another by rank (an all-gather).
  /// - Parameter run: `[own values]`.
  /// - Returns: `[all values]`.
  public func joined(_ run: Tensor) -> Tensor {
    let runs = gathered(run)
    return Tensor(shape: [runs.reduce(0) { $0 + $1.count }]) { target in
      var target = target
      for run in runs {
        run.read { target.update(from: $0, count: run.count) }
        target += run.count
      }
    }
  }
}

/// One process alone.
public struct SingleProcess: Communicator {
  public init() {}
  public var rank: Int { 0 }
  public var count: Int { 1 }
  public func gathered(_ numbers: [Int64]) -> [[Int64]] { [numbers] }
  public func gathered(_ rows: Tensor) -> [Tensor] { [rows] }
  public func summed(_ values: Tensor) -> Tensor { values }
  public func exchanged(_ rows: [Tensor?]) -> [Tensor?] { rows }
  public func any(_ flag: Bool) -> Bool { flag }
}
