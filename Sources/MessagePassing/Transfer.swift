import CMPI
import CPlatform
import Foundation

/// Messages under way between this process and others, on the `MessageThread`. Between two processes they
/// arrive in the order in which they were sent.
struct Transfer {
  private static let tag: Int32 = 0

  /// Each piece of a message, and who is at its other end.
  private var pieces: [(rank: Int, request: cmpi_request)] = []

  mutating func send(_ bytes: UnsafeRawBufferPointer, to rank: Int) {
    for piece in Transfer.pieces(of: bytes.count) {
      var request = cmpi_request()
      cmpi_send(
        bytes.baseAddress.map { $0 + piece.lowerBound }, Int32(piece.count), Int32(rank),
        Transfer.tag, &request)
      pieces.append((rank, request))
    }
  }

  mutating func receive(_ bytes: UnsafeMutableRawBufferPointer, from rank: Int) {
    for piece in Transfer.pieces(of: bytes.count) {
      var request = cmpi_request()
      cmpi_receive(
        bytes.baseAddress.map { $0 + piece.lowerBound }, Int32(piece.count), Int32(rank),
        Transfer.tag, &request)
      pieces.append((rank, request))
    }
  }

  /// The library counts bytes by 32 bits, and a piece that arrives shows that others come. Nothing is sent
  /// of an empty message.
  private static func pieces(of count: Int) -> [Range<Int>] {
    let size = 4 << 20
    return stride(from: 0, to: count, by: size).map { $0..<min(count, $0 + size) }
  }

  /// Waits until all have arrived.
  /// - Parameter purpose: What they are, for a message where somebody is silent.
  mutating func wait(for purpose: String, _ heartbeat: Heartbeat) {
    var patience = Patience()
    while true {
      let before = pieces.count
      pieces.removeAll { piece in
        var request = piece.request
        return cmpi_is_done(&request) != 0
      }
      if pieces.isEmpty { return }
      if pieces.count < before { patience = Patience() }
      heartbeat.attend(awaited: Set(pieces.map(\.rank)), for: purpose)
      patience.wait()
    }
  }
}

/// How a thread waits that must look again and again: at first it only pauses, then lets others have the
/// processor, and sleeps in between once nothing has come for a while. (Until then it may be its looking
/// that moves the bytes.)
struct Patience {
  private let beginning = ProcessInfo.processInfo.systemUptime
  private var looks = 0

  mutating func wait() {
    looks += 1
    if looks < 1000 {
      cplatform_pause()
    } else if ProcessInfo.processInfo.systemUptime - beginning < 0.25 {
      sched_yield()
    } else {
      usleep(50)
    }
  }
}
