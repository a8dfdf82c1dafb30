import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Tensors

/// Signals that arrive within a product leave the numbers and the heap as they were.
@Suite(.serialized) struct SignalTests {
  @Test func productsUnderSignals() {
    let (a, b) = (randomTensor([512, 160], seed: 1), randomTensor([128, 160], seed: 2))
    let expected = a.product(b, .secondTransposed)
    signal(SIGURG) { _ in }
    let thread = pthread_self()
    let state = SenderState()
    let sender = Thread {
      while !state.isDone.load(ordering: .acquiring) {
        pthread_kill(thread, SIGURG)
        usleep(50)
      }
      state.hasEnded.store(true, ordering: .releasing)
    }
    sender.start()
    for _ in 0..<2000 {
      var c = Tensor.zeros([512, 128])
      c.modify { c in
        a.readMatrix { a in
          b.readMatrix { b in
            singleThreadProduct(a, b, .secondTransposed, into: c, cStride: 128, beta: 1)
          }
        }
      }
      #expect(difference(c, expected, relative: 1e-5) == nil)
    }
    state.isDone.store(true, ordering: .releasing)
    while !state.hasEnded.load(ordering: .acquiring) { usleep(100) }
    signal(SIGURG, SIG_DFL)
  }

  private final class SenderState: Sendable {
    let isDone = Atomic(false)
    let hasEnded = Atomic(false)
  }
}
