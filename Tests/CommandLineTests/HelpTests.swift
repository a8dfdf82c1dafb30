import Foundation
import TestSupport
import Testing

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
    #expect(result.errors.hasPrefix("Error: "))
    #expect(result.errors.contains("Usage: blip2-train"))
  }
}
