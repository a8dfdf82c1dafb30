import Reporting

/// Something about the machine that makes runs slow or makes them fail, and what to do about it.
struct MachineWarning: Codable, Equatable {
  let problem: String
  let advice: String

  /// - Parameters:
  ///   - environment: the variables that this process began with.
  ///   - rate: how fast matrices are multiplied, where that was measured.
  ///   - load: processes that ran or waited, on average, before that.
  static func all(
    about machine: MachineReport, freeDiskSpace: Int?, environment: [String: String],
    rate: ProductRate? = nil, load: Double? = nil
  ) -> [MachineWarning] {
    [
      kernelBelowProcessor(machine, environment), builtBelowProcessor(machine),
      tooManyThreads(machine), idleThreads(machine, rate, load), littleMemory(machine),
      littleDiskSpace(freeDiskSpace),
    ]
    .compactMap { $0 }
  }

  private static func kernelBelowProcessor(
    _ machine: MachineReport, _ environment: [String: String]
  ) -> MachineWarning? {
    guard let kernel = VectorLevel(kernelName: machine.kernel), kernel < machine.level else {
      return nil
    }
    return MachineWarning(
      problem: "OpenBLAS uses its kernel \(machine.kernel) (\(kernel.name)), "
        + "though the processor has \(machine.level.name)",
      advice: environment["OPENBLAS_CORETYPE"] != nil
        ? "unset OPENBLAS_CORETYPE"
        : "install a later OpenBLAS, built with DYNAMIC_ARCH as Debian's libopenblas0 is")
  }

  private static func builtBelowProcessor(_ machine: MachineReport) -> MachineWarning? {
    let missing = machine.processor.features.filter {
      !machine.processor.builtFeatures.contains($0)
    }
    guard !missing.isEmpty else { return nil }
    return MachineWarning(
      problem: "the program was not built for \(missing.joined(separator: " ")), "
        + "which the processor has",
      advice: "build it on this machine, without BLIP2_MARCH")
  }

  private static func tooManyThreads(_ machine: MachineReport) -> MachineWarning? {
    let processors = machine.processor.count
    let usable = min(processors, machine.processor.quota.map { max(1, Int($0)) } ?? processors)
    guard machine.threads > usable else { return nil }
    return MachineWarning(
      problem: "\(machine.threads) threads share \(Quantity.of(usable, "processor"))",
      advice: "set BLIP2_THREADS=\(usable)")
  }

  /// Threads that add nothing: other programs have the processors, or they share a core.
  private static func idleThreads(
    _ machine: MachineReport, _ rate: ProductRate?, _ load: Double?
  ) -> MachineWarning? {
    guard let rate, machine.threads > 1, rate.allThreads < 1.2 * rate.oneThread else { return nil }
    let isBusy = load.map { $0 > 0.5 * Double(machine.processor.count) } ?? false
    return MachineWarning(
      problem: String(
        format: "\(machine.threads) threads multiply matrices at %.0f GFLOP/s, one at %.0f",
        rate.allThreads, rate.oneThread)
        + (load.map { String(format: " (load %.1f in the last minute)", $0) } ?? ""),
      advice: isBusy
        ? "other programs have the processors: end them, or measure again later"
        : "if processors are two by two the threads of one core, try BLIP2_THREADS=\(max(1, machine.threads / 2))"
    )
  }

  private static func littleMemory(_ machine: MachineReport) -> MachineWarning? {
    guard let memory = machine.memory, memory.available < 4 << 30 else { return nil }
    return MachineWarning(
      problem: "only \(Quantity.bytes(memory.available)) of memory are available",
      advice: "end other programs, or train with a smaller batch")
  }

  private static func littleDiskSpace(_ free: Int?) -> MachineWarning? {
    guard let free, free < 4 << 30 else { return nil }
    return MachineWarning(
      problem: "only \(Quantity.bytes(free)) are free on the disk of this folder",
      advice: "make room: a checkpoint holds every trained value three times")
  }
}
