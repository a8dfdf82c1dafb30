import CPlatform
import Foundation
import Reporting
import Tensors
import Training

/// What the program runs on.
struct MachineReport: Codable {
  struct Processor: Codable {
    /// As the system names it.
    var name: String
    /// How many of them this process may run on.
    var count: Int
    /// How many processors' worth of time a container allows, where it sets a limit.
    var quota: Double?
    /// The vector instruction sets that it has.
    var features: [String]
    /// Those that the program was compiled for.
    var builtFeatures: [String]
  }

  var processor: Processor
  /// The kernel family that OpenBLAS chose.
  var kernel: String
  /// How many threads work at once.
  var threads: Int
  /// Nil where the system does not say.
  var memory: SystemMemory?

  /// This machine now.
  static func current() -> MachineReport {
    let groups = ControlGroups()
    return MachineReport(
      processor: Processor(
        name: processorName(in: SystemText.read("/proc/cpuinfo") ?? ""),
        count: Parallel.availableProcessorCount, quota: groups.processorQuota,
        features: words(cplatform_processor_features()),
        builtFeatures: words(cplatform_built_features())),
      kernel: BLAS.kernelName, threads: Parallel.threadCount,
      memory: SystemMemory.current(groups))
  }

  /// One line for the beginning of a run.
  var oneLine: String {
    var parts = [
      "\(processor.name) (\(level.name))", "\(Quantity.of(processor.count, "processor"))",
      "\(Quantity.of(threads, "thread"))", "OpenBLAS kernel \(kernel)",
    ]
    if let memoryText { parts.append("memory \(memoryText)") }
    return parts.joined(separator: ", ")
  }

  /// Name and value, one pair for each line of a table.
  var rows: [[String]] {
    var rows = [
      ["processor", processor.name],
      ["processors", "\(processor.count)" + quotaText],
      ["vector instructions", Self.list(processor.features)],
      ["program built for", Self.list(processor.builtFeatures)],
      ["OpenBLAS kernel", kernel],
      ["threads", "\(threads)"],
    ]
    if let memoryText { rows.append(["memory", memoryText]) }
    return rows
  }

  /// The best vector instructions that the processor has.
  var level: VectorLevel { VectorLevel(processorFeatures: processor.features) }

  /// The words of a C string that stays where it is.
  static func words(_ text: UnsafePointer<CChar>?) -> [String] {
    text.map { String(cString: $0).split(separator: " ").map(String.init) } ?? []
  }

  /// The name in the text of `/proc/cpuinfo`, at most 200 characters of it.
  static func processorName(in text: String) -> String {
    for key in ["model name", "Model", "Hardware", "cpu model"] {
      if let name = SystemText.value(of: key, in: text, separator: ":"), !name.isEmpty {
        return String(name.prefix(200))
      }
    }
    return "unknown processor"
  }

  private var quotaText: String {
    processor.quota.map { String(format: ", time for %.1f of them", $0) } ?? ""
  }

  private var memoryText: String? {
    memory.map { "\(Quantity.bytes($0.total)), \(Quantity.bytes($0.available)) available" }
  }

  private static func list(_ names: [String]) -> String {
    names.isEmpty ? "none that matter here" : names.joined(separator: " ")
  }
}
