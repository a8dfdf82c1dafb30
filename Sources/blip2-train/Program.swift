import ArgumentParser
import Foundation
import Reporting
import Training

/// The program: its subcommands, and how each of them begins and ends.
@main
struct Blip2Train: ParsableCommand {
  /// The version that `--version` prints and checkpoints carry.
  static let version = TrainingCheckpoints.programVersion

  static let configuration = CommandConfiguration(
    commandName: "blip2-train",
    abstract: "Train the Q-Former of BLIP-2 (Li et al. 2023) on this machine's processor.",
    discussion: """
      Errors and warnings go to standard error, warnings of a training run to standard output. \
      Exit codes:
        0        done
        1        an error, named on standard error
        64       arguments that cannot be used
        75       another process that a launcher started fell silent
        128 + N  ended by signal N: 130 Ctrl-C (SIGINT), 143 SIGTERM, 129 SIGHUP,
                 138 SIGUSR1, 140 SIGUSR2, 152 SIGXCPU

      BLIP2_THREADS in the environment sets how many threads work at once; without it, as many \
      as there are processors for this process. Limits (ulimit, control groups) are heeded: what does \
      not fit is refused with both numbers.
      """,
    version: version,
    subcommands: [
      TrainCommand.self,
      StageOneCommand.self,
      StageTwoCommand.self,
      RecipeCommand.self,
      FeaturesCommand.self,
      GenerateCommand.self,
      EvaluateCommand.self,
      EmbedCommand.self,
      CaptionCommand.self,
      DataCommand.self,
      Inspect.self,
      ImportCommand.self,
      ExportCommand.self,
      LanguageModelCommand.self,
      PlotCommand.self,
      BenchCommand.self,
      Doctor.self,
    ])

  /// The same for ArgumentParser's messages as for the program's own.
  static let _errorPrefix = "error: "

  static func main() {
    StandardDescriptors.fillGaps()
    ProcessLimits.withStack { runCommand() }
  }

  private static func runCommand() {
    do {
      // First, so that wrong usage ends the program before anything else is done.
      var command = try parseAsRoot(OptionalValues.separated(ProgramArguments.all))
      try Startup.prepare()
      if (command as? any ResultCommand)?.result.quiet == true { WorkProgress.silence() }
      try command.run()
      do {
        try StandardOutput.flush()
      } catch  where command is any PrintingCommand && StandardOutput.readerHasGone {
        // Who reads a few lines wants no more.
      }
    } catch let interruption as Interrupted {
      exit(withError: ExitCode(128 + interruption.signal))
    } catch let error where isForArgumentParser(error) {
      exit(withError: error)
    } catch {
      StandardError.write("error: \(errorText(error))")
      Foundation.exit(EXIT_FAILURE)
    }
  }

  /// Help, the version, wrong usage and chosen exit codes are ArgumentParser's to print; what
  /// it does not know it would end with code 1.
  private static func isForArgumentParser(_ error: any Error) -> Bool {
    error is ExitCode || exitCode(for: error) != .failure
  }

  static func errorText(_ error: any Error) -> String {
    (error as? any LocalizedError)?.errorDescription ?? String(describing: error)
  }
}

/// A command that only prints: nothing is lost where nobody reads on.
protocol PrintingCommand: ParsableCommand {}
