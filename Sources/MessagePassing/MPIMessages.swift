import Foundation
import Tensors

/// What the communicator's calls are made of.
extension MPICommunicator {
  /// Sends to all others and receives from all; those of this process are copied.
  /// - Parameters:
  ///   - sent: By rank, what goes there.
  ///   - target: Where all that comes is put, rank after rank.
  ///   - counts: How much comes from each.
  func transfer<Number>(
    _ sent: [UnsafeBufferPointer<Number>], into target: UnsafeMutablePointer<Number>,
    counts: [Int], for purpose: String
  ) {
    let places = MPICommunicator.runs(counts)
    let received = places.map {
      UnsafeMutableRawBufferPointer(
        UnsafeMutableBufferPointer(start: target + $0.lowerBound, count: $0.count))
    }
    if !received[rank].isEmpty {
      received[rank].copyMemory(from: UnsafeRawBufferPointer(sent[rank]))
    }
    thread.run { [rank, count, heartbeat] in
      var transfer = Transfer()
      // Each begins with its neighbour, so that not all send to the same one at once.
      for step in 1..<count {
        let peer = (rank + count - step) % count
        transfer.receive(received[peer], from: peer)
      }
      for step in 1..<count {
        let peer = (rank + step) % count
        transfer.send(UnsafeRawBufferPointer(sent[peer]), to: peer)
      }
      transfer.wait(for: purpose, heartbeat)
    }
  }

  /// Hands words to each process and takes theirs.
  /// - Parameters:
  ///   - words: By rank, what goes there.
  ///   - counts: By rank, how many come from there; nil for as many as go there.
  func exchanged(
    words: [[Int64]], counts: [Int]? = nil, for purpose: String
  ) -> [[Int64]] {
    let all = words.flatMap { $0 }
    let counts = counts ?? words.map(\.count)
    let received = [Int64](unsafeUninitializedCapacity: counts.reduce(0, +)) { target, size in
      size = counts.reduce(0, +)
      all.withUnsafeBufferPointer { all in
        guard let target = target.baseAddress else { return }
        let sent = MPICommunicator.runs(words.map(\.count)).map {
          UnsafeBufferPointer(rebasing: all[$0])
        }
        transfer(sent, into: target, counts: counts, for: purpose)
      }
    }
    return MPICommunicator.runs(counts).map { Array(received[$0]) }
  }

  /// Where so many each lie one after another.
  static func runs(_ counts: [Int]) -> [Range<Int>] {
    var end = 0
    return counts.map { count in
      end += count
      return end - count..<end
    }
  }

  /// Calls the closure with the values of all; none where there is no tensor.
  static func read(
    _ rows: ArraySlice<Tensor?>, _ found: [UnsafeBufferPointer<Float>] = [],
    _ body: ([UnsafeBufferPointer<Float>]) -> Void
  ) {
    guard let first = rows.first else { return body(found) }
    guard let first else {
      return read(rows.dropFirst(), found + [UnsafeBufferPointer(start: nil, count: 0)], body)
    }
    first.read { values in
      read(
        rows.dropFirst(), found + [UnsafeBufferPointer(start: values, count: first.count)], body)
    }
  }

  // MARK: Shapes on their way

  private static let mostAxes = 7

  /// A tensor's axes, as many words for each.
  static func header(_ rows: Tensor?) -> [Int64] {
    let axes = rows?.shape.map(Int64.init)
    precondition(axes?.count ?? 0 <= mostAxes, "a shape of \(axes?.count ?? 0) axes")
    let words = [Int64(axes?.count ?? -1)] + (axes ?? [])
    return words + Array(repeating: 0, count: mostAxes + 1 - words.count)
  }

  static func shape(_ header: [Int64]) -> [Int]? {
    header[0] < 0 ? nil : header[1...].prefix(Int(header[0])).map { Int($0) }
  }
}
