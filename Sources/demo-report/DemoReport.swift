import ArgumentParser
import Foundation

/// Scores and a contact sheet of what a trained model makes of the demo's scenes.
@main
struct DemoReport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo-report",
    abstract: "Turn the answers that blip2-train writes for the demo into scores and a sheet.",
    discussion: """
      The files are those of `blip2-train evaluate caption|retrieval|vqa --answers FILE`. All scores \
      are percentages. Errors go to standard error; the exit status is then 1, and 64 for arguments \
      that cannot be used.
      """,
    subcommands: [
      CaptionsCommand.self, HardCommand.self, QuestionsCommand.self, SheetCommand.self,
      SpreadCommand.self,
    ])

  /// The same for ArgumentParser's messages as for the program's own.
  static let _errorPrefix = "error: "

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let error as InputError {
      FileHandle.standardError.write(Data("error: \(error)\n".utf8))
      Foundation.exit(EXIT_FAILURE)
    } catch {
      exit(withError: error)
    }
  }
}
