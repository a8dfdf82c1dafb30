import Foundation
import TestSupport
import Testing

@testable import blip2_train

struct HelpTests {
  @Test func theRootListsItsCommands() throws {
    let result = try BuiltTool.run(["--help"])
    #expect(result.status == 0)
    #expect(result.errors == "")
    for command in ["inspect", "doctor"] { #expect(result.output.contains("\n  \(command) ")) }
  }

  /// Every command that the root lists, so that a new one is held to the same.
  @Test func eachCommandExplainsItselfWithExamples() throws {
    let listed = try BuiltTool.run(["--help"]).output.components(separatedBy: "SUBCOMMANDS:\n")
    let names = listed.last.map { $0.split(separator: "\n") } ?? []
    let commands = names.filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
      .filter { $0 != "See" }
    #expect(commands.count >= 2)
    for command in commands {
      let result = try BuiltTool.run([command, "--help"])
      #expect(result.status == 0, "\(command) --help")
      #expect(result.output.contains("OVERVIEW: "), "\(command) --help")
      #expect(result.output.contains("blip2-train \(command)"), "\(command) --help")
      #expect(try BuiltTool.run(["help", command]).output == result.output)
    }
  }

  /// What is copied from a page as wide as most terminals: no line is wrapped, and the program takes it.
  @Test func examplesWorkAsTheyStand() throws {
    var commands = Blip2Train.configuration.subcommands
    var place = 0
    while place < commands.count {
      let command = commands[place]
      let subcommands = command.configuration.subcommands
      let lines = Self.exampleLines(in: Blip2Train.helpMessage(for: command, columns: 80))
      #expect(!lines.isEmpty || !subcommands.isEmpty, "\(command) has no example")
      for line in lines { #expect(line.hasPrefix("  ") && line.count < 80, "\(line)") }
      let text = lines.joined(separator: "\n").replacingOccurrences(of: "\\\n", with: " ")
      for example in text.split(separator: "\n") {
        let words = Self.words(of: example).drop { $0 != "blip2-train" }.prefix { $0 != ">" }
        #expect(throws: Never.self, "\(example)") {
          try Blip2Train.parseAsRoot(OptionalValues.separated(Array(words.dropFirst())))
        }
      }
      commands += subcommands
      place += 1
    }
  }

  /// The lines below "Example:" or "Examples:" up to an empty one.
  private static func exampleLines(in help: String) -> [String] {
    let lines = help.components(separatedBy: "\n")
    let heading = lines.firstIndex { $0 == "Example:" || $0 == "Examples:" }
    return heading.map { lines[($0 + 1)...].prefix { !$0.isEmpty }.map { $0 } } ?? []
  }

  /// The words as a shell splits them, of whose quotation marks only double ones occur.
  private static func words(of line: Substring) -> [String] {
    line.split(separator: "\"", omittingEmptySubsequences: false).enumerated().flatMap {
      $0.offset.isMultiple(of: 2)
        ? $0.element.split(separator: " ").map(String.init) : [String($0.element)]
    }
  }

  @Test func theVersionIsANumber() throws {
    let result = try BuiltTool.run(["--version"])
    #expect(result.status == 0)
    #expect(result.output.wholeMatch(of: #/\d+\.\d+\.\d+\n/#) != nil)
  }

  @Test(arguments: [["conquer"], ["inspect"], ["inspect", "a", "b"], ["doctor", "--jsonn"]])
  func wrongUsageEndsWithCode64(_ arguments: [String]) throws {
    let result = try BuiltTool.run(arguments)
    #expect(result.status == 64)
    #expect(result.output == "")
    #expect(result.errors.hasPrefix("error: "))
    #expect(result.errors.contains("Usage: blip2-train"))
  }
}
