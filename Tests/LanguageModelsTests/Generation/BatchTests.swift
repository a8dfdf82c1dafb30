import LanguageModels
import TestSupport
import Testing

@Suite struct BatchTests {
  static let methods: [GenerationOptions.Method] = [
    .greedy, .beams(3), .sampling(.init(topP: 0.9, seed: 4)),
  ]

  private let model = ToyModel(vocabulary: 25, seed: 8, raised: [1: 3])

  /// What each prompt gives does not depend on the others, though they end at different steps.
  @Test(arguments: methods) func batchesAreLikeSinglePrompts(
    _ method: GenerationOptions.Method
  ) throws {
    let prior = (0..<12).map { [Int32($0)] }
    func found(_ prompts: Range<Int>) throws -> [[GeneratedSequence]] {
      try TextGenerator.sequences(
        model.session(prompts: Array(prompts)), endIds: [1],
        priorTokens: Array(prior[prompts]), firstPrompt: prompts.lowerBound
      ) {
        $0.method = method
        $0.repetitionPenalty = 1.2
      }
    }
    let together = try found(0..<12)
    #expect(together == (try (0..<12).flatMap { try found($0..<$0 + 1) }))
    #expect(Set(together.map { $0[0].tokens.count }).count > 3)
  }

  /// Sequences that have ended take no more of the model's time.
  @Test func endedSequencesLeaveTheBatch() throws {
    let session = model.session(prompts: 12)
    let found = try TextGenerator.sequences(session, endIds: [1]) { $0.method = .greedy }
    let lengths = found.map { $0[0].tokens.count }
    let longest = lengths.max() ?? 0
    #expect(longest < 30)
    // A sequence of n tokens takes n rows of logits.
    #expect(session.steps == (0..<longest).map { step in lengths.filter { $0 > step }.count })
  }

  @Test func endedSearchesLeaveTheBatch() throws {
    var sum: [Int] = []
    for prompt in 0..<12 {
      let session = model.session(prompts: [prompt])
      _ = try TextGenerator.sequences(session, endIds: [1]) { $0.method = .beams(3) }
      sum += [Int](repeating: 0, count: max(0, session.steps.count - sum.count))
      for (step, rows) in session.steps.enumerated() { sum[step] += rows }
    }
    let session = model.session(prompts: 12)
    _ = try TextGenerator.sequences(session, endIds: [1]) { $0.method = .beams(3) }
    #expect(session.steps == sum)
    #expect(sum.first == 12)
    #expect(sum.dropFirst().first == 36)
    #expect(sum.last.map { $0 < 36 } == true)
  }

  @Test func theLastStepAsksForNothing() throws {
    for method in Self.methods {
      let session = model.session(prompts: 2)
      _ = try TextGenerator.sequences(session, endIds: []) {
        $0.method = method
        $0.maximumNewTokens = 4
      }
      #expect(session.steps.count == 4)
    }
  }

  @Test func noPrompts() throws {
    for method in Self.methods {
      let found = try TextGenerator.sequences(model.session(prompts: 0), endIds: [1]) {
        $0.method = method
      }
      #expect(found.isEmpty)
    }
  }

  @Test(arguments: [methods[0], methods[2]]) func tokensAreReportedAsTheyCome(
    _ method: GenerationOptions.Method
  ) throws {
    var options = GenerationOptions.original(endIds: [1])
    options.method = method
    options.returned = method == .greedy ? 1 : 3
    var generator = try TextGenerator(options)
    var reported: [[Int: [Int32]]] = [[:], [:]]
    let session = model.session(prompts: 2)
    generator.onToken = { prompt, returned, token in
      // Before the next step is asked for.
      #expect(reported[prompt][returned, default: []].count == session.steps.count - 1)
      reported[prompt][returned, default: []].append(token)
    }
    let found = try generator.sequences(session)
    for (found, reported) in zip(found, reported) {
      #expect(Set(found.map(\.tokens)) == Set(reported.values))
      #expect(reported.count == options.returned)
    }
  }

  @Test func beamsReportNothing() throws {
    var generator = try TextGenerator(GenerationOptions.original(endIds: [1]))
    generator.onToken = { _, _, _ in Issue.record("a beam search reports no tokens") }
    _ = try generator.sequences(model.session(prompts: 1))
  }

  /// Stopped after some tokens, sequences are the beginnings of what they would have become.
  @Test(arguments: [methods[0], methods[2]]) func stopping(
    _ method: GenerationOptions.Method
  ) throws {
    var options = GenerationOptions.original(endIds: [1])
    options.method = method
    var generator = try TextGenerator(options)
    let whole = try generator.sequences(model.session(prompts: 12))
    var asked = 0
    generator.shouldStop = {
      asked += 1
      return asked == 3
    }
    let session = model.session(prompts: 12)
    let stopped = try generator.sequences(session)
    #expect(session.steps.count == 3)
    for (whole, stopped) in zip(whole, stopped) {
      #expect(stopped[0].tokens == Array(whole[0].tokens.prefix(3)))
      #expect(stopped[0].ending == (whole[0].tokens.count <= 3 ? .endToken : .stopped))
    }
    #expect(Set(stopped.map { $0[0].ending }).count == 2)
  }

  /// A search that is stopped ranks what it has as one that came to its length limit.
  @Test func stoppingASearch() throws {
    var options = GenerationOptions.original(endIds: [1])
    options.returned = 5
    var generator = try TextGenerator(options)
    var asked = 0
    generator.shouldStop = {
      asked += 1
      return asked == 4
    }
    let session = model.session(prompts: 12)
    let found = try generator.sequences(session)
    #expect(session.steps.count == 4)
    for found in found {
      #expect(found.count == 5)
      #expect(found.map(\.score) == found.map(\.score).sorted(by: >))
      for sequence in found {
        #expect(sequence.tokens.count <= 4)
        #expect(sequence.ending == (sequence.tokens.last == 1 ? .endToken : .stopped))
        #expect(sequence.ending == .endToken || sequence.tokens.count == 4)
      }
    }
    #expect(Set(found.flatMap { $0.map(\.ending) }).count == 2)
  }
}
