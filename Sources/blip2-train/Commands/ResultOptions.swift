import ArgumentParser
import Reporting

/// How a command hands its result over.
struct ResultOptions: ParsableArguments {
  @Flag(help: "Print the result as JSON, and nothing else on standard output.")
  var json = false

  @Flag(name: .shortAndLong, help: "Show no progress on standard error.")
  var quiet = false

  /// Prints a result: one JSON object, or words.
  /// - Parameters:
  ///   - names: Those of files that the result holds.
  ///   - result: Makes it of these names.
  func show(
    naming names: [String] = [], text: String, _ result: ([String]) throws -> some Encodable
  ) throws {
    if json { try StandardOutput.printJSON(naming: names, result) } else { print(text) }
  }

  /// Says something beside the result.
  func say(_ line: String) {
    if json { StandardError.write(line) } else { print(line) }
  }
}

/// A command with a result.
protocol ResultCommand: PrintingCommand {
  var result: ResultOptions { get }
}

/// What benchmarks print as JSON: what they measured, and on which machine.
private struct Measurement<Result: Encodable>: Encodable {
  let machine: MachineReport
  let result: Result
}

extension ResultOptions {
  /// Runs a benchmark, which tells of each of its steps, and prints what it measured.
  func show<Result: Encodable>(
    _ line: (Result) -> String,
    of benchmark: (_ report: @escaping (String) -> Void) throws -> Result
  ) throws {
    let machine = MachineReport.current()
    say(machine.oneLine)
    let measured = try benchmark(say)
    try show(text: line(measured)) { _ in Measurement(machine: machine, result: measured) }
  }
}
