import Foundation
import Tensors

/// Threads of one process in the place of processes: each has a communicator of one group.
public final class ThreadCommunicator: Communicator {
  /// Where the threads leave what they say, round by round.
  private final class Exchange: @unchecked Sendable {
    private let count: Int
    private let condition = NSCondition()
    /// What was left in each round that not all have read yet, by rank, and how many have read it.
    private var rounds: [Int: (parts: [Int: Any], readers: Int)] = [:]

    init(count: Int) { self.count = count }

    /// Leaves one thread's part of a round and waits for all.
    func parts<Part>(_ round: Int, _ rank: Int, _ own: Part) -> [Part] {
      condition.lock()
      defer { condition.unlock() }
      rounds[round, default: ([:], 0)].parts[rank] = own
      condition.broadcast()
      while rounds[round, default: ([:], 0)].parts.count < count { condition.wait() }
      let all = (0..<count).compactMap { rounds[round]?.parts[$0] as? Part }
      precondition(all.count == count, "the threads say different things in round \(round)")
      rounds[round]?.readers += 1
      if rounds[round]?.readers == count { rounds[round] = nil }
      return all
    }
  }

  private let exchange: Exchange
  public let rank: Int
  public let count: Int
  private var round = 0

  private init(_ exchange: Exchange, rank: Int, count: Int) {
    self.exchange = exchange
    self.rank = rank
    self.count = count
  }

  /// The communicators of a group, by rank; each is for one thread.
  public static func group(of count: Int) -> [ThreadCommunicator] {
    let exchange = Exchange(count: count)
    return (0..<count).map { ThreadCommunicator(exchange, rank: $0, count: count) }
  }

  private func parts<Part>(_ own: Part) -> [Part] {
    defer { round += 1 }
    return exchange.parts(round, rank, own)
  }

  public func gathered(_ numbers: [Int64]) -> [[Int64]] { parts(numbers) }
  public func gathered(_ rows: Tensor) -> [Tensor] { parts(rows) }

  public func summed(_ values: Tensor) -> Tensor {
    let all = parts(values)
    return all.dropFirst().reduce(all[0], +)
  }

  public func exchanged(_ rows: [Tensor?]) -> [Tensor?] {
    precondition(rows.count == count, "rows for \(rows.count) of \(count) threads")
    return parts(rows).map { $0[rank] }
  }

  public func any(_ flag: Bool) -> Bool { parts(flag).contains(true) }
}
