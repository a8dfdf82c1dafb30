import Foundation

/// The built program, run as a person would run it.
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
    public let status: Int32
    public let output: String
    public let errors: String

    /// The lines on standard error.
    public var errorLines: [Substring] { errors.split(separator: "\n") }
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

  /// Starts the program and returns at once.
  public static func start(_ arguments: [String]) throws -> Running {
    try Running(arguments, program: url, environment: [:], output: nil)
  }

  /// A program under way; its output goes to files, so that it never waits for a reader.
  public final class Running {
    public let process = Process()
    private let folder: TemporaryFolder
    private let outputFile: URL
    private let errorFile: URL

    init(
      _ arguments: [String], program: URL, environment: [String: String], output: String?
    ) throws {
      folder = try TemporaryFolder()
      outputFile = try folder.write("", to: "output")
      errorFile = try folder.write("", to: "errors")
      process.executableURL = program
      process.arguments = arguments
      process.currentDirectoryURL = Goldens.repository
      process.environment = ProcessInfo.processInfo.environment
        .filter { !$0.key.hasPrefix("OPENBLAS_") && !$0.key.hasPrefix("BLIP2_") }
        .merging(environment) { $1 }
      process.standardInput = FileHandle.nullDevice
      process.standardOutput =
        try output.flatMap { FileHandle(forWritingAtPath: $0) }
        ?? FileHandle(forWritingTo: outputFile)
      process.standardError = try FileHandle(forWritingTo: errorFile)
      try process.run()
    }

    public var output: String { (try? String(contentsOf: outputFile, encoding: .utf8)) ?? "" }

    /// Waits until the output holds a text, or the program ends.
    public func waitForOutput(_ text: String) {
      while process.isRunning && !output.contains(text) { usleep(5000) }
    }

    public func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    public func finish() -> Result {
      process.waitUntilExit()
      let errors = (try? String(contentsOf: errorFile, encoding: .utf8)) ?? ""
      return Result(status: process.terminationStatus, output: output, errors: errors)
    }
  }
}
