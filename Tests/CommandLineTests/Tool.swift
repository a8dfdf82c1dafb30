import Foundation
import Testing

/// The built program, run as people run it.
enum Tool {
  struct Result {
    let status: Int32
    let output: String
    let errors: String

    /// The lines on standard error.
    var errorLines: [Substring] { errors.split(separator: "\n") }
  }

  /// - Parameters:
  ///   - environment: variables beside those of this process; none of OpenBLAS's are passed on
  ///     but those named here.
  ///   - output: where standard output goes instead of into the result.
  static func run(
    _ arguments: [String], environment: [String: String] = [:], output: String? = nil
  ) throws -> Result {
    let process = Process()
    process.executableURL = try location()
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment
      .filter { !$0.key.hasPrefix("OPENBLAS_") && !$0.key.hasPrefix("BLIP2_") }
      .merging(environment) { $1 }
    let scratch = try ScratchFolder()
    let files = try ["output", "errors"].map { name in
      try Data().write(to: scratch.url.appendingPathComponent(name))
      return try FileHandle(forWritingTo: scratch.url.appendingPathComponent(name))
    }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output.map { FileHandle(forWritingAtPath: $0) } ?? files[0]
    process.standardError = files[1]
    try process.run()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus,
      output: try String(contentsOfFile: scratch.path("output"), encoding: .utf8),
      errors: try String(contentsOfFile: scratch.path("errors"), encoding: .utf8))
  }

  /// Beside the test bundle; or where a release build of the package puts it.
  static func location() throws -> URL {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let candidates = [
      URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent(),
      Bundle.main.executableURL?.deletingLastPathComponent(),
      root.appendingPathComponent(".build/release"),
    ].compactMap { $0?.appendingPathComponent("blip2-train") }
    return try #require(
      candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) },
      "no built blip2-train beside the tests; looked for \(candidates.map(\.path))")
  }
}

/// A folder of a test's own, removed with its last reference.
final class ScratchFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("command-line-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }
}
