import Foundation
import Synchronization

/// A signal as a request to stop: the micro-batch (or chunk) under way ends, the step is given up, the
/// state after the last whole step is saved, and the program leaves with 128 + the signal's number. A
/// second SIGINT ends at once.
///
/// Ctrl-C (SIGINT), SIGTERM and a lost terminal (SIGHUP) are such requests, and so are the warnings of
/// batch systems: SIGUSR1 and SIGUSR2 (Slurm's `--signal`, SGE) and SIGXCPU (a limit on processor time).
/// A signal that was ignored when the program started stays ignored: by SIGHUP of `nohup`, by SIGINT of
/// a shell script's background jobs.
public enum StopRequest {
  /// What is listened to.
  public static let signals = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU]

  private static let received = Atomic<Int32>(0)
  /// What is said when a signal comes; set before any can.
  nonisolated(unsafe) private static var answer: StaticString = ""

  /// The signal that asked for an end, if one came.
  public static var signal: Int32? {
    let number = received.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }

  /// - Throws: ``Interrupted`` where one came.
  package static func check() throws {
    if let signal { throw Interrupted(signal: signal) }
  }

  /// Listens for these signals from now on.
  /// - Parameter answer: What the program does about one, for people.
  public static func listen(_ answer: StaticString = "stopping soon") {
    self.answer = answer
    for number in signals {
      var earlier = sigaction()
      sigaction(number, nil, &earlier)
      let isIgnored = unsafeBitCast(earlier.__sigaction_handler.sa_handler, to: Int.self) == 1
      if isIgnored { continue }
      var action = sigaction()
      action.sa_flags = Int32(SA_RESTART)
      action.__sigaction_handler.sa_handler = { StopRequest.note($0) }
      sigaction(number, &action, nil)
    }
  }

  /// Runs within the signal's handler: only what POSIX allows there.
  private static func note(_ number: Int32) {
    let code = errno
    let earlier = received.exchange(number, ordering: .relaxed)
    if earlier != 0 {
      if number == SIGINT { _exit(130) }
      received.store(earlier, ordering: .relaxed)
    } else {
      announce(number)
    }
    errno = code
  }

  /// Says that the request was heard, on a line of its own, also where another renews itself.
  private static func announce(_ number: Int32) {
    let name: StaticString =
      switch number {
      case SIGINT: "\nCtrl-C (SIGINT): "
      case SIGTERM: "\nSIGTERM: "
      case SIGHUP: "\nSIGHUP (the terminal is gone): "
      case SIGUSR1: "\nSIGUSR1: "
      case SIGUSR2: "\nSIGUSR2: "
      default: "\nSIGXCPU (hardly any processor time is left): "
      }
    let again: StaticString = number == SIGINT ? "; Ctrl-C again ends at once\n" : "\n"
    for text in [name, answer, again] {
      _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    }
  }

  /// `Ctrl-C (SIGINT)`, `SIGTERM`, …
  public static func name(of number: Int32) -> String {
    switch number {
    case SIGINT: "Ctrl-C (SIGINT)"
    case SIGTERM: "SIGTERM"
    case SIGHUP: "SIGHUP"
    case SIGUSR1: "SIGUSR1"
    case SIGUSR2: "SIGUSR2"
    case SIGXCPU: "SIGXCPU"
    default: "signal \(number)"
    }
  }
}

/// A signal asked for an end before there was anything to save.
public struct Interrupted: Error {
  public let signal: Int32
}
