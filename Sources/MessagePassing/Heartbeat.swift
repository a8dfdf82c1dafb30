import CMPI
import Foundation

/// How each process knows that the others live: every few seconds each sends a byte to all others, also
/// while it computes. One that is silent for too long has died, hangs, or lost the network, and whoever
/// hears nothing of it leaves: a launcher ends all when one does.
///
/// All of it happens on the `MessageThread`.
final class Heartbeat {
  /// The exit code: a failure that another try may not meet (`EX_TEMPFAIL` of sysexits.h).
  static let exitCode: Int32 = 75
  /// Messages of these are told from others by their tag.
  private static let tag: Int32 = 1

  let rank: Int
  private let timeout: TimeInterval
  /// The hosts of all, for messages.
  var hosts: [String]
  private var peers: [Peer]

  private struct Peer {
    /// What was sent last, and where its next byte arrives.
    let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: 2)
    var sending: cmpi_request?
    var receiving: cmpi_request?
    /// When it was heard last, by `clock`.
    var heard: TimeInterval = 0
    var hasLeft = false
  }

  /// Whether this process takes leave: nothing follows the byte that says so.
  private var isLeaving = false

  /// The seconds that this process has listened. Those in which it stood still itself do not count: a
  /// batch system may have stopped all for an hour.
  private var clock: TimeInterval = 0
  private var lastLook = ProcessInfo.processInfo.systemUptime
  private var lastBeat = -TimeInterval.infinity

  init(rank: Int, count: Int, timeout: TimeInterval) {
    self.rank = rank
    self.timeout = timeout
    hosts = Array(repeating: "an unknown host", count: count)
    peers = (0..<count).map { _ in Peer() }
    for peer in others { receive(from: peer) }
  }

  deinit {
    for peer in peers { peer.bytes.deallocate() }
  }

  /// How often a thread without work is to call `attend`.
  static func interval(timeout: TimeInterval) -> TimeInterval { min(1, timeout / 12) }

  private var others: [Int] { peers.indices.filter { $0 != rank } }

  /// Says that this process lives and hears who else does, if it is time. Ends the process where one is
  /// silent.
  /// - Parameters:
  ///   - awaited: Those without whom this process cannot go on, even if they have left.
  ///   - purpose: What they are awaited for.
  func attend(awaited: @autoclosure () -> Set<Int> = [], for purpose: String = "their life") {
    let (now, interval) = (
      ProcessInfo.processInfo.systemUptime, Heartbeat.interval(timeout: timeout)
    )
    guard now - lastLook >= interval / 2 else { return }
    clock += min(now - lastLook, 2 * interval)
    lastLook = now
    // Those that took leave wait for this process to do so, and are told as well that it lives.
    if !isLeaving, clock - lastBeat >= timeout / 6 {
      for peer in others { send(1, to: peer) }
      lastBeat = clock
    }
    let awaited = awaited()
    for peer in others {
      hear(peer)
      let isJudged = awaited.contains(peer) || !peers[peer].hasLeft
      if isJudged, clock - peers[peer].heard > timeout { leave(without: peer, purpose) }
    }
  }

  private func receive(from peer: Int) {
    var request = cmpi_request()
    cmpi_receive(peers[peer].bytes + 1, 1, Int32(peer), Heartbeat.tag, &request)
    peers[peer].receiving = request
  }

  private func hear(_ peer: Int) {
    while var request = peers[peer].receiving, cmpi_is_done(&request) != 0 {
      peers[peer].heard = clock
      if peers[peer].bytes[1] == 0 {
        peers[peer].hasLeft = true
        peers[peer].receiving = nil
      } else {
        receive(from: peer)
      }
    }
  }

  /// Whether nothing is under way to a process.
  private func isSent(_ peer: Int) -> Bool {
    guard var request = peers[peer].sending else { return true }
    guard cmpi_is_done(&request) != 0 else { return false }
    peers[peer].sending = nil
    return true
  }

  /// Sends a byte, unless the one before is still on its way.
  @discardableResult
  private func send(_ byte: UInt8, to peer: Int) -> Bool {
    guard isSent(peer) else { return false }
    peers[peer].bytes[0] = byte
    var request = cmpi_request()
    cmpi_send(peers[peer].bytes, 1, Int32(peer), Heartbeat.tag, &request)
    peers[peer].sending = request
    return true
  }

  /// Takes leave of all others and waits until they have done so: then no message is under way.
  func end() {
    isLeaving = true
    var unsaid = Set(others)
    var patience = Patience()
    while true {
      unsaid = unsaid.filter { !send(0, to: $0) }
      others.forEach(hear)
      if unsaid.isEmpty, others.allSatisfy({ peers[$0].hasLeft && isSent($0) }) { return }
      attend(for: "the end")
      patience.wait()
    }
  }

  private func leave(without peer: Int, _ purpose: String) -> Never {
    Heartbeat.leave(
      "process \(peer) on \(hosts[peer]) has been silent for \(Int(timeout)) s: it died, "
        + "hangs, or cannot be reached; process \(rank) on \(hosts[rank]) waited for \(purpose) "
        + "and ends; --resume goes on from the last checkpoint")
  }

  /// Ends the process without the library's own end, which would wait for all others.
  static func leave(_ reason: String) -> Never {
    fflush(nil)
    _ = "error: \(reason)\n".withCString { write(STDERR_FILENO, $0, strlen($0)) }
    _exit(exitCode)
  }
}
