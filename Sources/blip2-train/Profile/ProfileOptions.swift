import ArgumentParser
import Files
import Foundation
import Recipes
import Tensors
import Training

/// The option of every command that computes.
struct ProfileOptions: ParsableArguments {
  @Option(
    defaultAsFlag: "blip2-profile.json",
    help: ArgumentHelp(
      "Print what the time went to, by operation, and write a trace for chrome://tracing.",
      valueName: "trace"))
  var profile: String?

  /// Runs a command, with a profile if one was asked for; also of a command that fails.
  /// - Parameter say: Prints the profile.
  func measured<Result>(
    say: (String) -> Void, _ body: () throws -> Result
  ) throws -> Result {
    guard let profile else { return try body() }
    try check(profile)
    Profile.begin()
    let result = Swift.Result { try body() }
    Profile.mark("end of the run")
    if let taken = Profile.end() { try report(taken, to: profile, say) }
    return try result.get()
  }

  /// Refuses a path where something else lies: before the work, and again after it, which may have
  /// written there itself.
  private func check(_ profile: String) throws {
    try KeyedError.naming("--profile") {
      try OutputPath.checkFile(profile, force: nil) { beginning in
        beginning.starts(with: ChromeTrace.beginning.utf8)
      }
    }
  }

  private func report(
    _ taken: Profile, to path: String, _ say: (String) -> Void
  ) throws {
    let report = ProfileReport(profile: taken, limits: .measured())
    say("")
    say(report.description)
    let url = URL(fileURLWithPath: path)
    try check(path)
    try KeyedError.naming("--profile") {
      try AtomicFile.write(ChromeTrace.data(of: taken), to: url.path)
    }
    let calls = taken.totals.values.reduce(0) { $0 + $1.calls }
    let cut = calls > taken.events.count ? ", the first \(taken.events.count) of \(calls) runs" : ""
    say("trace for chrome://tracing or ui.perfetto.dev: \(url.path)\(cut)")
  }
}

/// A command whose time can be profiled.
protocol ProfiledCommand: ParsableCommand {
  var profiling: ProfileOptions { get }
  /// What the command does.
  func work() throws
}

extension ProfiledCommand {
  /// Prints what is no part of a result.
  private func say(_ line: String) {
    (self as? any ResultCommand)?.result.say(line) ?? print(line)
  }

  func run() throws {
    try profiling.measured(say: say, work)
  }
}
