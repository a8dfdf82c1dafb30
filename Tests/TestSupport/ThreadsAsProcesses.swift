import Foundation
import Objectives

/// Runs one body for each communicator of a group, each on a thread of its own, which stands for a process.
/// - Returns: By rank, what the bodies returned.
public func inThreads<Value>(
  _ count: Int, _ body: @escaping @Sendable (ThreadCommunicator) -> Value
) -> [Value] {
  let (values, group) = (ValuesByRank<Value>(), DispatchGroup())
  for communicator in ThreadCommunicator.group(of: count) {
    nonisolated(unsafe) let communicator = communicator
    group.enter()
    let thread = Thread {
      values.set(communicator.rank, body(communicator))
      group.leave()
    }
    thread.stackSize = 8 << 20
    thread.start()
  }
  group.wait()
  return values.all
}

private final class ValuesByRank<Value>: @unchecked Sendable {
  private let lock = NSLock()
  private var values: [Int: Value] = [:]

  func set(_ rank: Int, _ value: Value) { lock.withLock { values[rank] = value } }
  var all: [Value] { (0..<values.count).compactMap { values[$0] } }
}
