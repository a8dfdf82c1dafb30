import Foundation
import Glibc

/// The built program, run as a person would run it.
///
/// Programs are started by `posix_spawn` and waited for by `waitpid`: Foundation's `Process` learns of
/// an end through sockets that other children can inherit, and then waits for these as well.
public enum BuiltTool {
  /// Beside the test bundle, where the package manager puts both.
  public static let url: URL = {
    let bundles = CommandLine.arguments + [Bundle.main.executablePath ?? ""]
    for path in bundles where path.contains("/release") || path.contains("/debug") {
      var folder = URL(fileURLWithPath: path).deletingLastPathComponent()
      for _ in 0..<4 {
        let tool = folder.appendingPathComponent("blip2-train")
        if FileManager.default.isExecutableFile(atPath: tool.path) { return tool }
        folder.deleteLastPathComponent()
      }
    }
    return Goldens.repository.appendingPathComponent(".build/release/blip2-train")
  }()

  public struct Result {
    /// The exit status, or the number of the signal that ended the program.
    public let status: Int32
    public let output: String
    public let errors: String

    /// The lines on standard error.
    public var errorLines: [Substring] { errors.split(separator: "\n") }
  }

  /// The system refused to start a program; `code` is an errno.
  public struct StartError: Error {
    public let program: String
    public let code: Int32
  }

  /// Runs a program to its end, in the repository's folder.
  /// - Parameters:
  ///   - environment: Variables beside those of this process; of OpenBLAS's and the program's own,
  ///     only those named here are passed on.
  ///   - output: Where standard output goes instead of into the result.
  public static func run(
    _ arguments: [String], program: URL = url, environment: [String: String] = [:],
    output: String? = nil
  ) throws -> Result {
    try Running(arguments, program: program, environment: environment, output: output).finish()
  }

  /// Runs the program as a shell does that has executed other commands before, such as `ulimit -n 64`.
  public static func run(
    _ arguments: [String], after commands: String, environment: [String: String] = [:]
  ) throws -> Result {
    try run(
      ["-c", commands + "\nexec \"$0\" \"$@\"", url.path] + arguments,
      program: URL(fileURLWithPath: "/bin/bash"), environment: environment)
  }

  /// Starts the program and returns at once.
  /// - Parameter commands: What a shell executes before.
  public static func start(_ arguments: [String], after commands: String? = nil) throws -> Running {
    guard let commands else {
      return try Running(arguments, program: url, environment: [:], output: nil)
    }
    return try Running(
      ["-c", commands + "\nexec \"$0\" \"$@\"", url.path] + arguments,
      program: URL(fileURLWithPath: "/bin/bash"), environment: [:], output: nil)
  }

  /// Starts the program and kills it once its output holds a text. A program that is quicker than this
  /// process, and ends well before, is begun again, a few times.
  /// - Parameters:
  ///   - delay: The microseconds to wait after that text.
  ///   - clear: Removes what the program left, before it is begun again.
  /// - Returns: How it ended: by `SIGKILL`, unless it failed or was always quicker.
  public static func kill(
    _ arguments: [String], at text: String, delay: UInt32 = 0, clear: () throws -> Void
  ) throws -> Result {
    var tries = 0
    while true {
      let running = try start(arguments)
      running.waitForOutput(text)
      usleep(delay)
      running.send(SIGKILL)
      let result = running.finish()
      tries += 1
      if result.status != 0 || tries == 5 { return result }
      try clear()
    }
  }

  /// A program under way; its output goes to files, so that it never waits for a reader.
  public final class Running {
    private let folder: TemporaryFolder
    private var identifier = pid_t()
    private var status: Int32?
    /// What it took of the processors, once it has ended.
    private var usage = rusage()

    init(
      _ arguments: [String], program: URL, environment: [String: String], output: String?
    ) throws {
      folder = try TemporaryFolder()
      let variables = ProcessInfo.processInfo.environment
        .filter { !$0.key.hasPrefix("OPENBLAS_") && !$0.key.hasPrefix("BLIP2_") }
        .merging(environment) { $1 }.map { "\($0)=\($1)" }
      var actions = posix_spawn_file_actions_t()
      posix_spawn_file_actions_init(&actions)
      defer { posix_spawn_file_actions_destroy(&actions) }
      let creating = O_WRONLY | O_CREAT | O_TRUNC
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
      posix_spawn_file_actions_addopen(
        &actions, 1, output ?? folder.path("output"), creating, 0o600)
      posix_spawn_file_actions_addopen(&actions, 2, folder.path("errors"), creating, 0o600)
      // `env` changes the folder and then becomes the program.
      let start = "/usr/bin/env"
      let words =
        ([start, "-C", Goldens.repository.path, program.path] + arguments).map { strdup($0) } + [
          nil
        ]
      let settings = variables.map { strdup($0) } + [nil]
      defer { for text in words + settings { free(text) } }
      let code = posix_spawn(&identifier, start, &actions, nil, words, settings)
      guard code == 0 else { throw StartError(program: program.path, code: code) }
    }

    deinit {
      // A test that failed half-way leaves nothing running.
      if isRunning {
        send(SIGKILL)
        wait(options: 0)
      }
    }

    public var output: String { text("output") }

    private func text(_ name: String) -> String {
      let bytes = FileManager.default.contents(atPath: folder.path(name)) ?? Data()
      return String(decoding: bytes, as: UTF8.self)
    }

    public var isRunning: Bool {
      wait(options: WNOHANG)
      return status == nil
    }

    /// Takes the end of the program to notice, if it has come.
    /// - Parameter options: With `WUNTRACED`, a stop is waited for as well.
    private func wait(options: Int32) {
      guard status == nil else { return }
      var raw: Int32 = 0
      var ended = wait4(identifier, &raw, options, &usage)
      while ended == -1 && errno == EINTR { ended = wait4(identifier, &raw, options, &usage) }
      let isStopped = raw & 0xff == 0x7f
      guard ended == identifier, !isStopped else { return }
      let signal = raw & 0x7f
      status = signal == 0 ? raw >> 8 & 0xff : signal
    }

    /// Waits until the output holds a text, or the program ends.
    public func waitForOutput(_ text: String) { wait { output.contains(text) } }

    /// Waits until a text was said on standard error, or the program ends.
    public func waitForErrors(_ text: String) { wait { self.text("errors").contains(text) } }

    /// Waits until the program has used so much more of the processors, however long it must wait for
    /// them; or until it ends.
    public func waitForWork(_ duration: Duration) {
      let end = processorTime + duration
      wait { processorTime >= end }
    }

    /// Waits until something is so, or the program ends.
    public func wait(until isSo: () -> Bool) {
      while isRunning && !isSo() { usleep(5000) }
    }

    /// What all its threads have used of the processors.
    public var processorTime: Duration {
      guard isRunning else {
        return [usage.ru_utime, usage.ru_stime].reduce(.zero) {
          $0 + .seconds($1.tv_sec) + .microseconds($1.tv_usec)
        }
      }
      // Behind the name, which may hold anything, stand the state as the first and ticks as the
      // twelfth and thirteenth.
      let text = try? String(contentsOfFile: "/proc/\(identifier)/stat", encoding: .utf8)
      let fields = text?.split(separator: ")").last?.split(separator: " ") ?? []
      guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else {
        return .zero
      }
      return .seconds(user + system) / sysconf(Int32(_SC_CLK_TCK))
    }

    /// Does something while all threads of the program stand still.
    /// - Returns: What `body` returns; nil, and nothing was done, where the program had ended.
    public func paused<Result>(_ body: () throws -> Result) rethrows -> Result? {
      send(SIGSTOP)
      wait(options: WUNTRACED)
      guard status == nil else { return nil }
      defer { send(SIGCONT) }
      return try body()
    }

    /// A program whose end was noticed is sent nothing: its number may be another's by now.
    public func send(_ signal: Int32) {
      if status == nil { Glibc.kill(identifier, signal) }
    }

    /// Asks for an end and waits for it.
    /// - Returns: How the program ended, and how long it worked from then on: by the clock or by the
    ///   processors, whichever is less, as others may have these meanwhile.
    public func stop(_ signal: Int32) -> (result: Result, work: Duration) {
      let (begin, before) = (ContinuousClock.now, processorTime)
      send(signal)
      let result = finish()
      return (result, min(ContinuousClock.now - begin, processorTime - before))
    }

    public func finish() -> Result {
      wait(options: 0)
      return Result(status: status ?? -1, output: text("output"), errors: text("errors"))
    }
  }
}
