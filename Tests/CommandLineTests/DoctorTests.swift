import Foundation
import TestSupport
import Testing

struct DoctorTests {
  private struct Report: Decodable {
    struct Machine: Decodable {
      struct Processor: Decodable {
        let name: String
        let count: Int
        let quota: Double?
        let features: [String]
      }
      struct Memory: Decodable {
        let total: Int
        let available: Int
      }
      let processor: Processor
      let kernel: String
      let threads: Int
      let memory: Memory
    }
    struct Library: Decodable {
      let name: String
      let version: String?
    }
    struct Rate: Decodable {
      let allThreads: Double
      let oneThread: Double
    }
    struct Warning: Decodable {
      let problem: String
      let advice: String
    }
    let version: String
    let machine: Machine
    let libraries: [Library]
    let matrixProduct: Rate
    let warnings: [Warning]
  }

  private func report(_ environment: [String: String] = [:]) throws -> Report {
    let result = try BuiltTool.run(["doctor", "--json"], environment: environment)
    #expect(result.status == 0)
    return try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
  }

  @Test func jsonDescribesTheMachine() throws {
    let report = try report()
    #expect(!report.machine.processor.name.isEmpty)
    let processor = report.machine.processor
    let usable = min(processor.count, processor.quota.map { max(1, Int($0)) } ?? processor.count)
    #expect(report.machine.threads == usable)
    #expect(1...report.machine.memory.total ~= report.machine.memory.available)
    #expect(report.matrixProduct.oneThread > 0)
    #expect(report.matrixProduct.allThreads > 0)
    let hdf5 = report.libraries.first { $0.name == "HDF5" }
    #expect(hdf5?.version?.wholeMatch(of: #/\d+\.\d+\.\d+/#) != nil)
    #expect(report.libraries.contains { $0.name == "OpenBLAS" })
    #expect(report.version == (try BuiltTool.run(["--version"]).output.dropLast()))
  }

  @Test func moreThreadsThanProcessorsAreWarnedAbout() throws {
    let count = ProcessInfo.processInfo.activeProcessorCount + 3
    let report = try report(["BLIP2_THREADS": "\(count)"])
    #expect(report.machine.threads == count)
    #expect(report.warnings.contains { $0.advice.hasPrefix("set BLIP2_THREADS=") })
  }

  @Test func theTableHasALineForEachPart() throws {
    let result = try BuiltTool.run(["doctor"])
    #expect(result.status == 0)
    for part in ["processor", "threads", "memory", "OpenBLAS", "HDF5", "matrix-multiply speed"] {
      #expect(result.output.split(separator: "\n").contains { $0.hasPrefix(part + " ") }, "\(part)")
    }
  }
}
