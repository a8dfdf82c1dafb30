import LanguageModels
import TestSupport
import Testing

/// Greedy decoding and beam search against the plain reference, over many random models.
@Suite struct ReferenceTests {
  struct Setting: CustomTestStringConvertible {
    var endIds: [Int32] = [1]
    var minimum = 0
    var maximum = 8
    var repetitionPenalty: Float = 1
    var lengthPenalty: Float = 1
    /// What the end token's logit is raised by: how soon sequences end.
    var haste: Float = 2

    var testDescription: String {
      "ends \(endIds), \(minimum)...\(maximum), repetition \(repetitionPenalty), "
        + "length \(lengthPenalty), haste \(haste)"
    }
  }

  static let settings = [
    Setting(), Setting(haste: 4), Setting(lengthPenalty: -1), Setting(lengthPenalty: 0),
    Setting(lengthPenalty: 2.5), Setting(minimum: 3), Setting(minimum: 8),
    Setting(repetitionPenalty: 1.5), Setting(minimum: 2, repetitionPenalty: 0.7, lengthPenalty: 2),
    Setting(endIds: [1, 4, 6], haste: 1), Setting(endIds: [], maximum: 5), Setting(maximum: 1),
    Setting(endIds: [1, 4], minimum: 2, maximum: 12, repetitionPenalty: 1.3, lengthPenalty: -0.5),
  ]

  private func check(_ setting: Setting, _ method: GenerationOptions.Method, returned: Int) throws {
    let prompts = 6
    for (round, vocabulary) in [7, 19, 40].enumerated() {
      let model = ToyModel(
        vocabulary: vocabulary, seed: UInt64(100 + round), raised: [1: setting.haste])
      let prior = (0..<prompts).map { [Int32($0), 0, Int32($0), 3] }
      var options = GenerationOptions.original(endIds: setting.endIds)
      options.method = method
      options.minimumNewTokens = setting.minimum
      options.maximumNewTokens = setting.maximum
      options.repetitionPenalty = setting.repetitionPenalty
      options.lengthPenalty = setting.lengthPenalty
      options.returned = returned
      let found = try TextGenerator(options).sequences(
        model.session(prompts: prompts), priorTokens: prior)
      #expect(found.count == prompts)
      for (prompt, found) in found.enumerated() {
        let reference = ReferenceDecoding(model: model, options: options, prior: prior[prompt])
        let expected: [ReferenceDecoding.Found]
        if case .beams(let beams) = method {
          expected = reference.beams(prompt, count: beams)
        } else {
          expected = [reference.greedy(prompt)]
        }
        #expect(found.map(\.tokens) == expected.map(\.tokens))
        for (found, expected) in zip(found, expected) {
          #expect(abs(Double(found.score) - expected.score) <= 1e-5 * max(1, abs(expected.score)))
          let ends = setting.endIds.contains { $0 == found.tokens.last }
          #expect(found.ending == (ends ? .endToken : .lengthLimit))
          #expect(found.tokens.count > setting.minimum || !ends)
        }
      }
    }
  }

  @Test(arguments: settings) func greedy(_ setting: Setting) throws {
    try check(setting, .greedy, returned: 1)
  }

  @Test(arguments: settings, [2, 3, 5]) func beams(_ setting: Setting, beams: Int) throws {
    try check(setting, .beams(beams), returned: 1)
    try check(setting, .beams(beams), returned: beams)
  }

  /// With room for every continuation the search finds the best sequences of all.
  @Test(arguments: [Float(-1), 0, 1, 2]) func allBeams(lengthPenalty: Float) throws {
    for seed in 0..<20 {
      let model = ToyModel(vocabulary: 4, seed: UInt64(seed), raised: [1: 1])
      var options = GenerationOptions.original(endIds: [1])
      options.method = .beams(200)
      options.returned = 200
      options.maximumNewTokens = 4
      options.lengthPenalty = lengthPenalty
      let found = try TextGenerator(options).sequences(model.session(prompts: 1))
      let expected = ReferenceDecoding(model: model, options: options).everySequence(0)
      // One token is not the end; after it, of three that go on at each step, one ends.
      #expect(expected.count == 3 * (1 + 3 * (1 + 3 * 4)))
      #expect(found[0].map(\.tokens) == expected.map(\.tokens))
    }
  }

  @Test func oneBeamIsGreedy() throws {
    let model = ToyModel(vocabulary: 12, seed: 3, raised: [1: 1])
    func found(_ method: GenerationOptions.Method) throws -> [[GeneratedSequence]] {
      try TextGenerator.sequences(model.session(prompts: 5), endIds: [1]) {
        $0.method = method
        $0.repetitionPenalty = 1.3
      }
    }
    #expect(try found(.beams(1)) == found(.greedy))
  }

  /// Greedy decoding changes logits by the penalty, beam search log-probabilities; a token's
  /// repetitions do not add up, and what was in the prompt counts.
  @Test func repetitionPenalty() throws {
    // Token 2 is likeliest by far, and its logit positive: only its logit can be divided.
    let model = ToyModel(vocabulary: 4) { _, _ in [0.5, -9, 1, 0.6] }
    func tokens(_ method: GenerationOptions.Method, prior: [Int32]) throws -> [Int32] {
      try TextGenerator.sequences(
        model.session(prompts: 1), endIds: [1], priorTokens: [prior]
      ) {
        $0.method = method
        $0.repetitionPenalty = 1.5
        $0.maximumNewTokens = 1
      }[0][0].tokens
    }
    // 1 / 1.5 is above 0.6; divided twice it would not be.
    #expect(try tokens(.greedy, prior: []) == [2])
    #expect(try tokens(.greedy, prior: [2]) == [2])
    #expect(try tokens(.greedy, prior: [2, 2]) == [2])
    #expect(try tokens(.greedy, prior: [0, 3]) == [2])
    // Log-probabilities are about -1.3, -0.8 and -1.2: times 1.5 the likeliest comes to -1.23.
    #expect(try tokens(.beams(2), prior: []) == [2])
    #expect(try tokens(.beams(2), prior: [2]) == [3])
    #expect(try tokens(.beams(2), prior: [2, 3]) == [2])
  }
}
