import Glibc
import TestSupport
import Testing

@testable import Tensors

/// Profiles are of the whole program, so these tests run one after another.
@Suite(.serialized) struct ProfileTests {
  @Test func countsOperationsAndTheirProducts() throws {
    let x = randomTensor([64, 32], seed: 1)
    let weights: [any MatrixWeight] = [
      BFloat16Weight(DenseWeight(randomTensor([48, 32], seed: 2))),
      Int8Weight(DenseWeight(randomTensor([40, 32], seed: 3))),
    ]
    Profile.begin()
    usleep(20_000)
    Profile.mark("waits(for:)")
    _ = x.product(x, .secondTransposed)
    for weight in weights {
      _ = Tensor(shape: [64, weight.outputs]) {
        weight.apply(to: .float32(x), bias: nil, into: .float32($0))
      }
    }
    Profile.mark("multiplies(_:)", .backward, bytes: 1)
    Profile.mark("multiplies(_:)", .forward, bytes: 17)
    Profile.markStep()
    let profile = try #require(Profile.end())

    #expect(profile.steps == 1)
    #expect(profile.events.count == 3 && profile.totals.count == 3)
    let waits = try #require(profile.totals[.init(name: "waits", pass: .other)])
    #expect(waits.calls == 1 && waits.nanoseconds >= 20_000_000 && waits.products.bytes == 0)
    let multiplies = try #require(profile.totals[.init(name: "multiplies", pass: .backward)])
    #expect(multiplies.products.float32Operations == 2 * 64 * 64 * 32)
    #expect(multiplies.products.bfloat16Operations == 2 * 64 * 48 * 32)
    #expect(multiplies.products.int8Operations == 2 * 64 * 40 * 32)
    #expect(multiplies.bytes == multiplies.products.bytes && multiplies.bytes > 64 * 32 * 4)
    #expect(profile.totals[.init(name: "multiplies", pass: .forward)]?.bytes == 17)
    // Nothing falls between: each run begins where the one before it ended.
    #expect(profile.events[0].begin == 0 && profile.events[2].end == profile.nanoseconds)
    for (event, next) in zip(profile.events, profile.events.dropFirst()) {
      #expect(event.end == next.begin)
    }
  }

  @Test func keepsWithinItsBound() throws {
    Profile.begin(keeping: 2)
    Profile.mark("forgotten")
    Profile.restart()
    for _ in 0..<5 { Profile.mark("runs") }
    let profile = try #require(Profile.end())
    #expect(profile.events.count == 2)
    #expect(profile.totals.map { $0.value.calls } == [5])
    Profile.mark("after the end")
    #expect(Profile.end() == nil)
  }
}
