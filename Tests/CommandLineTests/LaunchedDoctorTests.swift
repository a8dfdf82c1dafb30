import Foundation
import MessagePassing
import TestSupport
import Testing

@testable import blip2_train

/// `doctor` as several processes, and what a launch that cannot work says.
@Suite(
  .enabled(
    if: BuiltTool.canLaunch, "needs an mpirun that can start two processes; make setup installs it")
)
struct LaunchedDoctorTests {
  private struct Report: Decodable {
    struct Distributed: Decodable {
      let library: String
      let processes: [ProcessesReport.Process]
      let problems: [String]
    }
    let distributed: Distributed?
  }

  /// All that processes say to one another arrives: uneven, empty, absent; and sums have the same bits.
  @Test(arguments: [2, 3])
  func processesHearWhatTheyShould(_ count: Int) throws {
    let result = try BuiltTool.run(["doctor", "--json"], processes: count)
    #expect(result.status == 0, "\(result.errors)")
    // One process alone prints.
    let report = try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
    let distributed = try #require(report.distributed)
    #expect(distributed.processes.count == count)
    #expect(distributed.problems == [])
    #expect(distributed.library.contains(#/^(Open MPI|MPICH).*, libmp/#))
    for process in distributed.processes {
      #expect(process.toNext.latency > 0 && process.toNext.bandwidth > 0)
      #expect(process.threads >= 1 && !process.host.isEmpty)
      #expect(!ProcessesReport.numbers(in: process.processors).isEmpty)
    }
  }

  @Test func alone() throws {
    let result = try BuiltTool.run(["doctor", "--json"], processes: 1)
    #expect(result.status == 0, "\(result.errors)")
    let report = try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
    #expect(report.distributed == nil)
  }

  @Test func aProcessThatDoesNotBeginIsNotAwaitedForEver() throws {
    let result = try BuiltTool.run(
      ["doctor", "--timeout", "2"], processes: 2,
      after: "if [ \"$rank\" = 1 ]; then exec sleep 600; fi")
    #expect(result.status == 75, "\(result.errors)")
    #expect(result.errors.contains("could not connect them within 2 s"), "\(result.errors)")
  }

  @Test func aLauncherWithoutItsLibraryIsRefused() throws {
    let result = try BuiltTool.run(
      ["doctor"], environment: ["PMI_SIZE": "2", "BLIP2_MPI_LIBRARY": "/nowhere/libmpi.so"])
    #expect(result.status == 1)
    #expect(result.output == "")
    #expect(result.errors.hasPrefix("error: a launcher started 2 processes (PMI_SIZE), and no MPI"))
    #expect(result.errors.contains("openmpi-bin") && result.errors.contains("/nowhere/libmpi.so"))
  }

  @Test func aLibraryOfAnotherKindIsRefused() throws {
    let result = try BuiltTool.run(
      ["doctor"], environment: ["PMI_SIZE": "2", "BLIP2_MPI_LIBRARY": "libm.so.6"])
    #expect(result.status == 1)
    #expect(result.errors.contains("libm.so.6: it has no MPI_Init_thread"), "\(result.errors)")
  }

  @Test func whatSharesAHostIsWarnedAbout() {
    let rate = try? JSONDecoder().decode(
      LinkRate.self, from: Data(#"{"latency": 1e-6, "bandwidth": 1e9}"#.utf8))
    func process(_ host: String, _ processors: String, _ threads: Int) -> ProcessesReport.Process? {
      rate.map {
        .init(
          host: host, processors: processors, threads: threads, matrixProduct: 1, toNext: $0)
      }
    }
    let report = ProcessesReport(
      library: "MPI",
      processes: [process("a", "0-3", 4), process("b", "0-1", 2), process("a", "2,3", 2)]
        .compactMap { $0 }, problems: [])
    #expect(
      report.warnings == [
        MachineWarning(
          problem: "6 threads of 2 processes share 4 processors of a",
          advice: "start fewer processes there, or set BLIP2_THREADS=2")
      ])
    #expect(report.rows[1] == ["processes", "3 on 2 hosts"])
    #expect(report.table.description.split(separator: "\n").count == 4)
  }

  @Test func listsOfProcessors() {
    #expect(ProcessesReport.numbers(in: "0-3,8") == [0, 1, 2, 3, 8])
    #expect(ProcessesReport.numbers(in: "") == [])
    #expect(ProcessesReport.numbers(in: "3-1,x") == [])
  }
}
