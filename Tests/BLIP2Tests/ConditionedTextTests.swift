import Tensors
import Testing

@testable import BLIP2

/// How texts are put before a language model (Li et al. 2023, §3.2).
@Suite struct ConditionedTextTests {
  private let decoder = PromptTemplate(start: 2, end: 50, hasEncoder: false, maximumLength: 8)
  private let encoderDecoder = PromptTemplate(start: 2, end: 1, hasEncoder: true, maximumLength: 6)

  /// Without a prompt the start token is predicted too, as in the original.
  @Test func decoderPredictsAll() {
    #expect(decoder.text([7, 8], given: 0) == .init(prefix: [], target: [2, 7, 8, 50]))
    #expect(decoder.text([], given: 0) == .init(prefix: [], target: [2, 50]))
  }

  @Test func decoderPromptIsGiven() {
    #expect(decoder.text([7, 8, 9], given: 2) == .init(prefix: [2, 7, 8], target: [9, 50]))
    #expect(decoder.beginning([7]) == [2, 7])
    #expect(decoder.beginning([]) == [2])
  }

  /// Cut as the original cuts: the end token falls away with the rest.
  @Test func decoderTextIsCut() {
    let text = decoder.text(Array(10..<30), given: 0)
    #expect(text == .init(prefix: [], target: [2] + (10..<17).map { Int32($0) }))
    // A long prompt leaves something to predict, and an empty caption the end.
    let prompted = decoder.text(Array(10..<30), given: 15)
    #expect(prompted == .init(prefix: [2] + (10..<16).map { Int32($0) }, target: [16]))
    #expect(decoder.text([7, 8], given: 2) == .init(prefix: [2, 7, 8], target: [50]))
  }

  @Test func withoutStartToken() {
    let llama = PromptTemplate(start: nil, end: 3, hasEncoder: false, maximumLength: 8)
    #expect(llama.text([7, 8], given: 1) == .init(prefix: [7], target: [8, 3]))
    #expect(llama.beginning([]) == [])
  }

  @Test func encoderDecoderSides() {
    #expect(encoderDecoder.text([7, 8, 9], given: 1) == .init(prefix: [7, 1], target: [8, 9, 1]))
    #expect(encoderDecoder.text([7], given: 1) == .init(prefix: [7, 1], target: [1]))
    let long = encoderDecoder.text(Array(10..<40), given: 20)
    #expect(long == .init(prefix: [10, 11, 12, 13, 14, 1], target: [30, 31, 32, 33, 34, 1]))
    #expect(encoderDecoder.beginning([7]) == [7, 1])
  }

  /// The split is uniform over 1 … n/2, and depends on its place alone.
  @Test func drawnSplits() {
    var counts = [Int](repeating: 0, count: 5)
    for sample in 0..<4000 {
      func draw() -> ConditionedText {
        var random = RandomStream(Philox(seed: 1), site: 1, sample: UInt32(sample))
        return PromptTemplate(start: nil, end: 1, hasEncoder: true, maximumLength: 32)
          .drawnText([5, 6, 7, 8, 9, 10, 11, 12, 13], using: &random)
      }
      let text = draw()
      #expect(text == draw())
      #expect(text.prefix.dropLast() + text.target == [5, 6, 7, 8, 9, 10, 11, 12, 13, 1])
      counts[text.prefix.count - 1] += 1
    }
    #expect(counts[0] == 0 && counts.dropFirst().allSatisfy { (880...1120).contains($0) })
    var random = RandomStream(Philox(seed: 1), site: 1)
    #expect(encoderDecoder.drawnText([7], using: &random) == .init(prefix: [1], target: [7, 1]))
  }
}
