import Foundation
import TestSupport
import Testing

/// Whether inherited settings of OpenBLAS are shaken off. `inspect` of nothing ends at once.
struct RestartTests {
  private let slow = ["OPENBLAS_L2_SIZE": "4096"]

  @Test func aHarmfulVariableIsDroppedWithOneLine() throws {
    let result = try BuiltTool.run(["inspect", "nowhere.h5"], environment: slow)
    #expect(result.status == 1)
    #expect(result.errorLines.count == 2, "\(result.errors)")
    #expect(result.errors.hasPrefix("note: restarting without OPENBLAS_L2_SIZE=4096, "))
    #expect(result.errorLines.last?.hasPrefix("error: ") == true)
  }

  @Test func itStaysWhereItIsAskedFor() throws {
    let result = try BuiltTool.run(
      ["inspect", "nowhere.h5"],
      environment: slow.merging(["BLIP2_KEEP_OPENBLAS_ENVIRONMENT": "1"]) { $1 })
    #expect(result.errorLines.count == 2, "\(result.errors)")
    #expect(result.errors.hasPrefix("warning: OPENBLAS_L2_SIZE=4096 in the environment "))
  }

  @Test func itHappensOnceAtMost() throws {
    let result = try BuiltTool.run(
      ["inspect", "nowhere.h5"], environment: slow.merging(["BLIP2_RESTARTED": "1"]) { $1 })
    #expect(result.status == 1)
    #expect(result.errors.hasPrefix("warning: OPENBLAS_L2_SIZE=4096 in the environment "))
  }

  @Test(arguments: [
    [:], ["OPENBLAS_NUM_THREADS": "3"], ["OPENBLAS_L2_SIZE": ""], ["OPENBLAS_VERBOSE": "0"],
  ])
  func harmlessVariablesStay(_ environment: [String: String]) throws {
    let result = try BuiltTool.run(["inspect", "nowhere.h5"], environment: environment)
    #expect(result.errorLines.count == 1, "\(result.errors)")
  }

  /// On a processor with AVX-512, a kernel without; on others the plainest one.
  @Test(arguments: ["Haswell", "Prescott"])
  func aKernelBelowTheProcessorIsReplaced(_ kernel: String) throws {
    let machine = try Self.machine()
    let isBelow =
      machine.features.contains("avx512f")
      || (kernel == "Prescott" && machine.features.contains("avx2"))
    let result = try BuiltTool.run(
      ["doctor", "--json"], environment: ["OPENBLAS_CORETYPE": kernel])
    #expect(result.status == 0)
    #expect(
      result.errors.hasPrefix("note: restarting without OPENBLAS_CORETYPE=\(kernel), ") == isBelow)
    #expect(result.output.contains("\"kernel\" : \"\(isBelow ? machine.kernel : kernel)\""))
  }

  private static func machine() throws -> (kernel: String, features: [String]) {
    struct Report: Decodable {
      struct Machine: Decodable {
        struct Processor: Decodable {
          let features: [String]
        }
        let kernel: String
        let processor: Processor
      }
      let machine: Machine
    }
    let output = try BuiltTool.run(["doctor", "--json"]).output
    let machine = try JSONDecoder().decode(Report.self, from: Data(output.utf8)).machine
    return (machine.kernel, machine.processor.features)
  }

  /// Standard input, output and arguments with blanks pass through the second beginning.
  @Test func argumentsAndOutputPassThrough() throws {
    let scratch = try TemporaryFolder()
    let file = scratch.path("a name with  blanks.h5")
    try SampleCheckpoint.write(to: file)
    let plain = try BuiltTool.run(["inspect", file, "--json"])
    let restarted = try BuiltTool.run(["inspect", file, "--json"], environment: slow)
    #expect(plain.status == 0)
    #expect(restarted.status == 0)
    #expect(restarted.output == plain.output)
    #expect(restarted.errors.hasPrefix("note: restarting"))
  }
}
