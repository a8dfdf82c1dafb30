import Objectives

/// What ends this process is another one's failure, which that one tells of.
public struct FailureElsewhere: Error {}

extension Communicator {
  /// Whether this process speaks for all: prints, logs, saves.
  package var isFirst: Bool { rank == 0 }

  /// Does something that may fail: where it fails in one process, all go no further.
  /// - Parameter body: Has no part for other processes, since whoever fails would not have his.
  /// - Throws: In the first that failed what `body` threw there, in all others ``FailureElsewhere``; where a
  ///   signal was all that happened, ``Interrupted`` everywhere.
  public func agreed<Success>(_ body: () throws -> Success) throws -> Success {
    if count == 1 { return try body() }
    let own = Result(catching: body)
    let endings = gathered([Ending.number(of: own)]).map { $0[0] }
    if let first = endings.firstIndex(of: Ending.failed) {
      if first == rank { _ = try own.get() }
      throw FailureElsewhere()
    }
    if let signal = endings.first(where: { $0 != Ending.done }) {
      throw Interrupted(signal: Int32(signal))
    }
    return try own.get()
  }

  /// The signal that asked any of the processes for an end: everybody's answer is the same.
  package func stopSignal() -> Int32? {
    if count == 1 { return StopRequest.signal }
    let signals = gathered([Int64(StopRequest.signal ?? 0)]).map { $0[0] }
    return signals.first { $0 != 0 }.map { Int32($0) }
  }

  /// - Throws: ``Interrupted`` in all processes where a signal came to one.
  package func checkStop() throws {
    if let signal = stopSignal() { throw Interrupted(signal: signal) }
  }
}

/// How something ended, as a number: a signal is its own.
private enum Ending {
  static let done: Int64 = 0
  static let failed: Int64 = -1

  static func number<Success>(of result: Result<Success, any Error>) -> Int64 {
    switch result {
    case .success: done
    case .failure(let interruption as Interrupted): Int64(interruption.signal)
    case .failure: failed
    }
  }
}
