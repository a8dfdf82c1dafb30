import ArgumentParser
import Foundation
import MessagePassing
import Objectives
import Reporting
import Tensors
import Training

/// A command's work as one process or as several that a launcher started.
enum LaunchedProcesses {
  /// Does the work in all processes together. The first speaks for all; another is heard only where it is
  /// the one that failed.
  /// - Parameters:
  ///   - timeout: The seconds after which a process that is silent is given up.
  ///   - work: Ends alike everywhere.
  /// - Throws: `MessagePassingError`, and what `work` throws, which has been said where there are several.
  static func together(
    timeout: Int, _ work: (any Communicator) throws -> Void
  ) throws {
    guard let communicator = try MPICommunicator.joined(timeout: Double(timeout)) else {
      return try work(SingleProcess())
    }
    // The terminal that Open MPI gives each process is none that anybody looks at.
    setenv("NO_COLOR", "1", 1)
    if communicator.rank > 0 { beSilent() }
    let ending = Result { try work(communicator) }
    if case .failure(let error) = ending, isToBeSaid(error) {
      let name = communicator.rank > 0 ? "\(communicator.name(of: communicator.rank)): " : ""
      StandardError.write("error: \(name)\(Blip2Train.errorText(error))")
    }
    // A launcher ends all as soon as one has failed: not before what there is to say is said.
    communicator.finish()
    do { try ending.get() } catch let error where isToBeSaid(error) || error is FailureElsewhere {
      throw ExitCode.failure
    }
  }

  private static func isToBeSaid(_ error: any Error) -> Bool {
    !(error is FailureElsewhere || error is Interrupted || error is ExitCode)
  }

  /// Leaves results and progress to the first process.
  private static func beSilent() {
    StandardDescriptors.dropOutput()
    WorkProgress.silence()
    _ = Profile.end()
  }
}
