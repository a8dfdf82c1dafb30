import Foundation

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

  /// A program under way; its output goes to files, so that it never waits for a reader.
  public final class Running {
    private let folder: TemporaryFolder
    private var identifier = pid_t()
    private var status: Int32?

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

    private var isRunning: Bool {
      wait(options: WNOHANG)
      return status == nil
    }

    /// Takes the end of the program to notice, if it has come.
    private func wait(options: Int32) {
      guard status == nil else { return }
      var raw: Int32 = 0
      var ended = waitpid(identifier, &raw, options)
      while ended == -1 && errno == EINTR { ended = waitpid(identifier, &raw, options) }
      guard ended == identifier else { return }
      let signal = raw & 0x7f
      status = signal == 0 ? raw >> 8 & 0xff : signal
    }

    /// Waits until the output holds a text, or the program ends.
    public func waitForOutput(_ text: String) {
      while isRunning && !output.contains(text) { usleep(5000) }
    }

    /// Waits until a text was said on standard error, or the program ends.
    public func waitForErrors(_ text: String) {
      while isRunning && !self.text("errors").contains(text) { usleep(5000) }
    }

    public func send(_ signal: Int32) { kill(identifier, signal) }

    public func finish() -> Result {
      wait(options: 0)
      return Result(status: status ?? -1, output: text("output"), errors: text("errors"))
    }
  }
}
