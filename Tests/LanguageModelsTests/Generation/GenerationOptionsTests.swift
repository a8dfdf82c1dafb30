import LanguageModels
import TestSupport
import Testing

@Suite struct GenerationOptionsTests {
  private func refusal(_ change: (inout GenerationOptions) -> Void) -> String? {
    var options = GenerationOptions.original(endIds: [1])
    change(&options)
    do {
      _ = try TextGenerator(options)
      return nil
    } catch {
      return error.localizedDescription
    }
  }

  @Test func theDefaultsChangeNothing() {
    let options = GenerationOptions(endIds: [2])
    #expect(options.method == .greedy)
    #expect(options.maximumNewTokens == 30 && options.minimumNewTokens == 0)
    #expect(options.repetitionPenalty == 1 && options.lengthPenalty == 1 && options.returned == 1)
    #expect(GenerationOptions.Sampling().topP == 1)
    #expect(refusal { _ in } == nil)
  }

  @Test(arguments: [Float(3), 0, -0.5, .nan, .infinity]) func topP(_ value: Float) {
    #expect(
      refusal { $0.method = .sampling(.init(topP: value)) }
        == "--top-p: expected more than 0 and at most 1, found \(value)")
  }

  @Test(arguments: [Float(0), -1, .nan, .infinity]) func positiveNumbers(_ value: Float) {
    #expect(
      refusal { $0.method = .sampling(.init(topP: 1, temperature: value)) }
        == "--temperature: expected a number more than 0, found \(value)")
    #expect(
      refusal { $0.repetitionPenalty = value }
        == "--repetition-penalty: expected a number more than 0, found \(value)")
  }

  @Test func otherNumbers() {
    #expect(
      refusal { $0.method = .sampling(.init(topP: 1, topK: 0)) }
        == "--top-k: expected at least 1, found 0")
    #expect(refusal { $0.lengthPenalty = -3 } == nil)
    #expect(
      refusal { $0.lengthPenalty = .nan } == "--length-penalty: expected a number, found nan")
    #expect(refusal { $0.method = .beams(0) } == "--beams: expected 1 to 256, found 0")
    #expect(refusal { $0.method = .beams(257) } == "--beams: expected 1 to 256, found 257")
  }

  @Test func lengths() {
    #expect(
      refusal { $0.maximumNewTokens = 0 }
        == "--max-new-tokens: expected 1 to 1048576, found 0")
    #expect(
      refusal { $0.maximumNewTokens = .max }
        == "--max-new-tokens: expected 1 to 1048576, found \(Int.max)")
    #expect(
      refusal { $0.minimumNewTokens = 31 }
        == "--min-new-tokens: expected 0 to the 30 of --max-new-tokens, found 31")
    #expect(
      refusal { $0.minimumNewTokens = -1 }
        == "--min-new-tokens: expected 0 to the 30 of --max-new-tokens, found -1")
  }

  @Test func returned() {
    #expect(
      refusal { $0.returned = 6 } == "--captions: expected at most the 5 of --beams, found 6")
    #expect(refusal { $0.returned = 0 } == "--captions: expected 1 to 256, found 0")
    #expect(
      refusal {
        $0.method = .greedy
        $0.returned = 2
      } == "--captions: expected 1 without beams or sampling, found 2")
    #expect(
      refusal {
        $0.method = .sampling(.init())
        $0.returned = 256
      } == nil)
  }

  @Test(arguments: [Int32(-1), 9, .max]) func endTokensAreOfTheModel(_ token: Int32) {
    let model = ToyModel(vocabulary: 9, seed: 1)
    #expect(throws: GenerationError.unknownEndToken(token, vocabularySize: 9)) {
      try TextGenerator.sequences(model.session(prompts: 1), endIds: [1, token]) { _ in }
    }
  }

  static let methods: [GenerationOptions.Method] = [
    .greedy, .beams(3), .sampling(.init(topP: 0.9)),
  ]

  /// Logits of damaged weights are reported, wherever they come.
  @Test(arguments: methods, [Float.nan, .infinity])
  func logitsThatAreNoNumbers(_ method: GenerationOptions.Method, value: Float) {
    let model = ToyModel(vocabulary: 40) { prompt, tokens in
      var logits = [Float](repeating: 0, count: 40)
      if prompt == 1 && tokens.count == 2 { logits[35] = value }
      return logits
    }
    #expect(throws: GenerationError.unusableLogits(prompt: 1, newTokens: 2)) {
      try TextGenerator.sequences(model.session(prompts: 3), endIds: [1]) { $0.method = method }
    }
  }

  @Test(arguments: methods) func nothingToChoose(_ method: GenerationOptions.Method) {
    let dead = ToyModel(vocabulary: 3) { _, _ in [-.infinity, -.infinity, -.infinity] }
    #expect(throws: GenerationError.unusableLogits(prompt: 0, newTokens: 0)) {
      try TextGenerator.sequences(dead.session(prompts: 1), endIds: [1]) { $0.method = method }
    }
    // Nothing but the end, which cannot come yet.
    let ending = ToyModel(vocabulary: 3) { _, _ in [-.infinity, 1, -.infinity] }
    #expect(throws: GenerationError.unusableLogits(prompt: 0, newTokens: 0)) {
      try TextGenerator.sequences(ending.session(prompts: 1), endIds: [1]) { $0.method = method }
    }
  }

  /// Fewer tokens than beams: what there is, and no more.
  @Test func verySmallVocabulary() throws {
    let model = ToyModel(vocabulary: 2, seed: 3)
    let found = try TextGenerator.sequences(model.session(prompts: 2), endIds: [1]) {
      $0.method = .beams(10)
      $0.returned = 10
      $0.maximumNewTokens = 3
    }
    for found in found {
      #expect(Set(found.map(\.tokens)) == [[0, 1], [0, 0, 1], [0, 0, 0]])
    }
  }
}
