import Testing

@testable import Configuration

/// What keys declare: ranges, former names, what a resumed run may change, and the printed reference.
@Suite struct KeyTests {
  private func check(_ change: (inout ExampleConfiguration) -> Void) -> String {
    var configuration = ExampleConfiguration()
    change(&configuration)
    do {
      try KeyCheck.check(configuration, like: ExampleConfiguration())
      return "no error"
    } catch { return "\(error)" }
  }

  @Test func valuesOutsideTheirRangesAreRefused() {
    #expect(check { _ in } == "no error")
    #expect(
      check { $0.checkpoint.keep = 10 }
        == "checkpoint.keep: expected at least 1, at most 9, found 10")
    #expect(
      check { $0.data.skipped = 1.5 }
        == "data.skipped: expected a number from 0.0 to 1.0, found 1.5")
    #expect(check { $0.data.skipped = .infinity }.hasPrefix("data.skipped: expected a number"))
    #expect(
      check { $0.data.sources[0].limit = 0 }
        == "data.sources[0].limit: expected at least 1, at most 100, found 0")
    #expect(check { $0.data.sources = [] } == "no error")
    #expect(Float(0.999).bound == 0.999, "a float's limit lies within the range")
  }

  /// A decoded value has no declarations of its own.
  @Test func valuesThatWereReadAreHeldAgainstTheDefaults() throws {
    let read = try load("checkpoint: {keep: 0}")
    #expect(throws: ConfigurationError.self) {
      try KeyCheck.check(read, like: ExampleConfiguration())
    }
  }

  @Test func formerNamesAreReadAndNoted() throws {
    var notes: [String] = []
    func skipped(_ text: String) throws -> Double {
      try ConfigurationLoader.load(ExampleConfiguration(), overrides: [text]) { notes.append($0) }
        .data.skipped
    }
    #expect(try skipped("data.badShare=0.25") == 0.25)
    #expect(notes == ["--set data.badShare=0.25: data.badShare is called data.skipped by now"])
    #expect(try skipped("data.skipped=0.75") == 0.75)
    #expect(throws: ConfigurationError.self) { try skipped("data={badShare: 0.1, skipped: 0.1}") }
    let stored = try ConfigurationLoader.load(
      ExampleConfiguration(), text: "data: {badShare: 0.125}", name: "FILE")
    #expect(stored.data.skipped == 0.125)
  }

  @Test func differencesKnowWhatAResumedRunMayChange() throws {
    var present = ExampleConfiguration()
    present.checkpoint.keep = 3
    present.data.sources[0].weight = 2
    present.data.sources[0].limit = 7
    present.data.skipped = 0.75
    let differences = try KeyDifference.between(
      ExampleConfiguration(), present, like: ExampleConfiguration())
    #expect(
      differences.map(\.line) == [
        "checkpoint.keep: the checkpoint has null, now it is 3",
        "data.sources[0].limit: the checkpoint has null, now it is 7",
        "data.skipped: the checkpoint has 0.5, now it is 0.75",
      ])
    #expect(differences.map(\.resume) == [.free, .fixed, .named])
  }

  @Test func elementsThatCameAndWentAreDifferences() throws {
    var present = ExampleConfiguration()
    present.data.sources = []
    let gone = try KeyDifference.between(
      ExampleConfiguration(), present, like: ExampleConfiguration())
    #expect(
      gone.map(\.line).contains("data.sources[0].limit: the checkpoint has null, now it is nothing")
    )
  }

  @Test func referenceNamesMeaningRangeAndDefault() throws {
    let text = try KeyReference.yaml(of: ExampleConfiguration(), head: "An example.")
    #expect(text.hasPrefix("# An example.\n"))
    #expect(
      text.contains(
        "  # The share that is passed over. A number from 0.0 to 1.0.\n  skipped: 0.5\n"))
    #expect(text.contains("  # How negatives are chosen. One of draw, all.\n  negatives: null\n"))
    #expect(text.contains("  # How many are kept. At least 1, at most 9.\n  keep: null\n"))
    #expect(try load(text) == ExampleConfiguration())
  }

  @Test func aShortReferenceHasTheChosenKeys() throws {
    var values = ExampleConfiguration()
    values.checkpoint.keep = 4
    let text = try KeyReference.yaml(
      of: values, like: ExampleConfiguration(), head: "Short.",
      only: ["checkpoint.keep": "Few will do.", "data.skipped": ""])
    #expect(
      text == """
        # Short.
        # What is kept.
        checkpoint:
          # How many are kept. At least 1, at most 9. Few will do.
          keep: 4
        # What is read.
        data:
          # The share that is passed over. A number from 0.0 to 1.0.
          skipped: 0.5

        """)
    #expect(try load(text) == values)
  }

  // MARK: Shared keys

  private struct Shared: Codable, Equatable {
    @Key(1...9, "Steps.", resume: .fixed) var steps = 3
    @Key(.input, "A list.") var list = "a.txt"
  }

  private struct Outer: Codable, Equatable {
    @Key("A name.") var name = "n"
    @Inlined var shared = Shared()
    @Key("Others.") var others: [Other] = []
  }

  private struct Other: ConfigurationElement, Equatable {
    @Inlined var shared = Shared()
    static let template = Other()
  }

  @Test func sharedKeysStandAmongTheOthers() throws {
    let text = try ConfigurationLoader.yaml(Outer())
    #expect(text == "name: \"n\"\nsteps: 3\nlist: a.txt\nothers: []\n")
    let read = try ConfigurationLoader.load(
      Outer(), text: "steps: 5\nothers: [{list: b.txt}]", name: "FILE",
      overrides: ["list=c.txt"])
    #expect(
      read.shared
        == {
          var it = Shared()
          it.steps = 5
          it.list = "c.txt"
          return it
        }())
    #expect(read.others.map(\.shared.list) == ["b.txt"] && read.others[0].shared.steps == 3)
    let unknown = #expect(throws: ConfigurationError.self) {
      try ConfigurationLoader.load(Outer(), overrides: ["stepz=4"])
    }
    #expect(unknown.map { "\($0)".contains("steps") } == true)
    var many = read
    many.shared.steps = 10
    let outside = #expect(throws: ConfigurationError.self) {
      try KeyCheck.check(many, like: Outer())
    }
    #expect(outside.map { "\($0)".hasPrefix("steps: expected at least 1") } == true)
    let differences = try KeyDifference.between(Outer(), read, like: Outer())
    #expect(
      differences.map(\.path) == ["steps", "list", "others[0].steps", "others[0].list", "others"])
    #expect(
      try KeyReference.yaml(of: Outer(), head: "").contains("\n# Steps. At least 1, at most 9."))
  }

  // MARK: Paths

  @Test func pathsAreCompletedFromAnotherFolder() throws {
    var given = Outer()
    given.shared.list = "words.{llm}.txt"
    given.others = ["part-*.tar", "nowhere.txt", "here.txt", "/words.txt", ""].map {
      var other = Other()
      other.shared.list = $0
      return other
    }
    let there: Set = ["here.txt", "/run/here.txt", "/run/words.{llm}.txt", "/run/part-*.tar"]
    let (found, keys) = try InputPaths.completed(
      given, like: Outer(), from: "/run", exists: there.contains)
    #expect(found.shared.list == "/run/words.{llm}.txt")
    #expect(found.name == "n" && found.shared.steps == 3)
    #expect(
      found.others.map(\.shared.list)
        == ["/run/part-*.tar", "nowhere.txt", "here.txt", "/words.txt", ""])
    #expect(keys == ["list", "others[0].list"])
  }

  /// A value that was read carries no declarations: those of the defaults tell former names.
  @Test func formerNamesAreReadOverWhatWasRead() throws {
    let stored = try load("name: x")
    let changed = try ConfigurationLoader.load(
      stored, like: ExampleConfiguration(), overrides: ["data.badShare=0.25"])
    #expect(changed.data.skipped == 0.25 && changed.name == "x")
  }
}
