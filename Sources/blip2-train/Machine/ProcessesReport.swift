import Foundation
import MessagePassing
import Reporting
import Training

/// The processes that a launcher started together with this one.
struct ProcessesReport: Encodable {
  struct Process: Codable {
    let host: String
    /// The processors that it may run on, as the system lists them: "0-3,8".
    let processors: String
    let threads: Int
    /// GFLOP/s of a large product with all its threads, while the others compute theirs.
    let matrixProduct: Double
    /// How fast it reaches the next process, and the last one the first.
    let toNext: LinkRate
  }

  let library: String
  /// By rank.
  let processes: [Process]
  /// What did not arrive as it was sent.
  let problems: [String]

  /// Hears of all processes; call it in all.
  /// - Throws: `DecodingError` where another process is of another version.
  static func gathered(
    _ communicator: MPICommunicator, threads: Int, rate: ProductRate
  ) throws -> ProcessesReport {
    let problems = communicator.gathered(CommunicatorCheck.problems(communicator))
    let own = Process(
      host: communicator.hosts[communicator.rank],
      processors: SystemText.value(
        of: "Cpus_allowed_list", in: SystemText.read("/proc/self/status") ?? "", separator: ":")
        ?? "", threads: threads, matrixProduct: rate.allThreads,
      toNext: communicator.linkRates()[communicator.rank])
    let texts = communicator.gathered([
      String(decoding: try JSONEncoder().encode(own), as: UTF8.self)
    ]).joined()
    return ProcessesReport(
      library: communicator.library,
      processes: try texts.map { try JSONDecoder().decode(Process.self, from: Data($0.utf8)) },
      problems: problems.flatMap { $0 })
  }

  /// The hosts, each with its processes, in the order of ranks.
  private var hosts: [(name: String, processes: [Process])] {
    var names: [String] = []
    for process in processes where !names.contains(process.host) { names.append(process.host) }
    return names.map { name in (name, processes.filter { $0.host == name }) }
  }

  var warnings: [MachineWarning] {
    hosts.compactMap { host in
      let threads = host.processes.reduce(0) { $0 + $1.threads }
      let processors = host.processes.reduce(into: Set<Int>()) {
        $0.formUnion(ProcessesReport.numbers(in: $1.processors))
      }
      guard threads > processors.count else { return nil }
      return MachineWarning(
        problem: "\(Quantity.of(threads, "thread")) of "
          + "\(Quantity.of(host.processes.count, "process")) share "
          + "\(Quantity.of(processors.count, "processor")) of \(host.name)",
        advice: "start fewer processes there, or set BLIP2_THREADS="
          + "\(max(1, processors.count / host.processes.count))")
    }
      + problems.map {
        MachineWarning(problem: "messages do not arrive as sent: \($0)", advice: "use another MPI")
      }
  }

  /// Of a list such as "0-3,8".
  static func numbers(in list: String) -> Set<Int> {
    list.split(separator: ",").reduce(into: Set<Int>()) { numbers, run in
      let ends = run.split(separator: "-").compactMap { Int($0) }
      guard let first = ends.first, let last = ends.last, first <= last else { return }
      numbers.formUnion(first...last)
    }
  }

  /// Name and value, one pair for each line of a table.
  var rows: [[String]] {
    [
      ["MPI", library],
      [
        "processes",
        "\(Quantity.count(processes.count)) on \(Quantity.of(hosts.count, "host"))",
      ],
      ["messages", problems.isEmpty ? "arrive as sent" : "do not arrive as sent"],
    ]
  }

  /// A line for each process.
  var table: TextTable {
    var table = TextTable(
      [.right, .left, .left, .right, .right, .right, .right],
      header: ["process", "host", "processors", "threads", "GFLOP/s", "latency", "bandwidth"])
    for (rank, process) in processes.enumerated() {
      table.add(
        "\(rank)", process.host, process.processors, "\(process.threads)",
        String(format: "%.0f", process.matrixProduct),
        String(format: "%.1f µs", process.toNext.latency * 1e6),
        String(format: "%.2f GB/s", process.toNext.bandwidth / 1e9))
    }
    return table
  }
}
