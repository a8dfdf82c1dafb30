import Foundation

/// How fast a process reaches the next one, while all others do the same.
public struct LinkRate: Codable, Sendable {
  /// Seconds in which one byte goes there and another comes from the one before.
  public let latency: Double
  /// Bytes that go there in a second, while as many come.
  public let bandwidth: Double
}

extension MPICommunicator {
  /// Measures messages round the ring of all processes; call it in all.
  /// - Returns: By rank.
  public func linkRates() -> [LinkRate] {
    let large = 16 << 20
    let own = [seconds(of: 1, rounds: 200), seconds(of: large, rounds: 7)]
    return gathered(own.map { Int64(bitPattern: $0.bitPattern) }).map { bits in
      let seconds = bits.map { Double(bitPattern: UInt64(bitPattern: $0)) }
      return LinkRate(latency: seconds[0], bandwidth: Double(large) / seconds[1])
    }
  }

  /// The median of several rounds in which all hand so many bytes on; one before them opens the ways.
  private func seconds(of size: Int, rounds: Int) -> Double {
    let sent = [UInt8](repeating: 1, count: size)
    var received = sent
    var times: [Double] = []
    let (next, previous) = ((rank + 1) % count, (rank + count - 1) % count)
    sent.withUnsafeBytes { sent in
      received.withUnsafeMutableBytes { received in
        for _ in 0...rounds {
          times.append(
            time { transfer in
              transfer.receive(received, from: previous)
              transfer.send(sent, to: next)
            })
        }
      }
    }
    return times.dropFirst().sorted()[rounds / 2]
  }

  private func time(_ begin: @escaping (inout Transfer) -> Void) -> Double {
    nonisolated(unsafe) var seconds = 0.0
    thread.run { [heartbeat] in
      let clock = ContinuousClock()
      let duration = clock.measure {
        var transfer = Transfer()
        begin(&transfer)
        transfer.wait(for: "a measurement", heartbeat)
      }
      seconds = duration / .seconds(1)
    }
    return seconds
  }
}
