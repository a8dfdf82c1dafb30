import ArgumentParser
import Foundation
import MessagePassing
import Reporting
import Tensors

/// `blip2-train doctor`.
struct Doctor: PrintingCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Show what this machine offers and what slows it down; or whether a run's losses are sane.",
    discussion: """
      Without --run: prints the processor, the libraries, threads, memory and disk space, and the \
      measured matrix-multiply speed; then a warning, with advice, for whatever stands in a \
      run's way. It takes some seconds. The exit status is 0 even where there are warnings.

      Under mpirun or srun: the first process prints that of its own host, then a line for each \
      process: host, processors, threads, speed while all others work, and how fast one byte and \
      16 MiB reach the next process, while all send and the last sends to the first. What is sent \
      is compared with what arrives.

      With --run: reads metrics.jsonl of the run's folder and the recipe in its newest checkpoint \
      (without one, what needs it is left out), and says in a line each what is usual and what is \
      not. A line begins with a verdict: usual; early (too early to tell); odd (the line says \
      what to do); unknown. What losses are compared with:
        itm  0.6365, the entropy of one match in three: the match head gives all
             pairs one answer, as it does until ITC has lined pairs up; below it,
             it is learning
        itc  ln batch where nothing is learnt; label smoothing's floor where all is
        itg  ln vocabulary where nothing is learnt; label smoothing's floor where
             all is
        lm   ln of the language model's vocabulary, and 0
      Besides: warm-up, rising losses, numbers that are not finite, skipped steps, gradients, the \
      temperature, held-out losses that rise, R@1 at chance. A run that is under way may be asked \
      about as well. The exit status is 0 whatever is found, and 1 where there is nothing to read.

      --write-reference FILE keeps how the losses of several runs go that differ in their seeds \
      alone. --reference FILE compares a run with them: a point is outside where it lies beyond \
      the lowest and the highest seed by more than these are apart, and by more than 2 % of the \
      mean; a curve agrees where at most a fifth of its points are outside, and none far. \
      Scripts/reference-curves.sh makes the demo's, in Benchmarks/reference.

      With --json, findings are objects: kind, verdict, metric, step, value, expected, text.

      Examples:
        blip2-train doctor
        BLIP2_THREADS=1 blip2-train doctor
        blip2-train doctor --json
        mpirun -n 2 blip2-train doctor
        blip2-train doctor --run runs/a
        blip2-train doctor --run runs/a --reference reference.json --json
        blip2-train doctor --run runs/1 --run runs/2 --run runs/3 \\
          --write-reference reference.json
      """)

  @Option(
    name: .customLong("run"), parsing: .singleValue,
    help: ArgumentHelp(
      "A run's output folder, whose losses are looked at. Several with --write-reference.",
      valueName: "folder"), completion: .directory)
  var runs: [String] = []

  @Option(
    help: ArgumentHelp("Compare the run with these curves.", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var reference: String?

  @Option(
    help: ArgumentHelp(
      "Write the curves of the runs as a reference. An earlier one is replaced.",
      valueName: "file"))
  var writeReference: String?

  @Option(
    help: ArgumentHelp(
      "Under mpirun: how long a process may be silent before the others end with 75.",
      valueName: "seconds"))
  var timeout = 60

  @Flag(help: "Print everything as one JSON object; sizes are in bytes, rates in GFLOP/s.")
  var json = false

  @Flag(help: "With --write-reference: replace whatever file lies there.")
  var force = false

  func validate() throws {
    try ValidationError.check("--timeout", timeout, in: 1...86_400)
    if runs.isEmpty, reference != nil || writeReference != nil {
      throw ValidationError("--reference and --write-reference go with --run")
    }
    if force, writeReference == nil { throw ValidationError("--force goes with --write-reference") }
    if writeReference != nil {
      if runs.count < 2 {
        throw ValidationError(
          "--write-reference: expected at least 2 runs with seeds of their own, found \(runs.count)"
        )
      }
      if json || reference != nil {
        throw ValidationError("--write-reference goes without --json and --reference")
      }
    } else if runs.count > 1 {
      throw ValidationError("--run: expected one without --write-reference, found \(runs.count)")
    }
  }

  func run() throws {
    if let writeReference {
      try RunExamination.write(writeReference, of: runs, force: force)
    } else if let folder = runs.first {
      try show(try RunExamination(folder: folder, reference: reference))
    } else {
      let communicator = try MPICommunicator.joined(timeout: Double(timeout))
      let examination = try Examination.now(communicator)
      if communicator?.rank ?? 0 == 0 { try show(examination) }
      communicator?.finish()
    }
  }

  private func show(_ examination: some Encodable & CustomStringConvertible) throws {
    if json {
      try StandardOutput.printJSON(examination)
    } else {
      print(examination)
    }
  }
}

/// All that `doctor` finds of the machine.
private struct Examination: Encodable, CustomStringConvertible {
  /// In bytes.
  struct Disk: Encodable {
    let folder: String
    let total: Int
    let free: Int
  }

  let version: String
  let machine: MachineReport
  let libraries: [LinkedLibrary]
  let disk: Disk?
  /// Processes that ran or waited for a processor, on average of the last minute.
  let load: Double?
  let matrixProduct: ProductRate
  /// Where a launcher started several.
  let distributed: ProcessesReport?
  let warnings: [MachineWarning]

  /// Finds all that there is; call it in all processes.
  static func now(_ communicator: MPICommunicator?) throws -> Examination {
    let machine = MachineReport.current()
    let disk = disk(of: FileManager.default.currentDirectoryPath)
    var minute = 0.0
    // Before the measurement, which is a load itself.
    let load = getloadavg(&minute, 1) == 1 ? minute : nil
    let rate = ProductRate.measure()
    let distributed = try communicator.map {
      try ProcessesReport.gathered($0, threads: machine.threads, rate: rate)
    }
    return Examination(
      version: Blip2Train.version, machine: machine, libraries: LinkedLibrary.all(), disk: disk,
      load: load, matrixProduct: rate, distributed: distributed,
      warnings: MachineWarning.all(
        about: machine, freeDiskSpace: disk?.free,
        environment: ProcessInfo.processInfo.environment, rate: rate, load: load)
        + (distributed?.warnings ?? []))
  }

  private static func disk(of folder: String) -> Disk? {
    var status = statvfs()
    guard statvfs(folder, &status) == 0 else { return nil }
    func bytes(_ blocks: fsblkcnt_t) -> Int {
      let (product, overflow) = blocks.multipliedReportingOverflow(by: fsblkcnt_t(status.f_frsize))
      return overflow ? .max : Int(clamping: product)
    }
    return Disk(folder: folder, total: bytes(status.f_blocks), free: bytes(status.f_bavail))
  }

  var description: String {
    var table = TextTable(.left, .left)
    table.add("blip2-train", version)
    for row in machine.rows { table.add(row) }
    if let disk {
      table.add("disk of \(disk.folder)", "\(Quantity.bytes(disk.free)) free")
    }
    if let load { table.add("load", String(format: "%.1f in the last minute", load)) }
    for library in libraries {
      table.add(
        library.name, [library.version, library.file].compactMap { $0 }.joined(separator: ", "))
    }
    let rate = matrixProduct
    table.add(
      "matrix-multiply speed",
      String(format: "%.0f GFLOP/s with ", rate.allThreads)
        + Quantity.of(machine.threads, "thread")
        + String(format: ", %.0f with one (float32, %d × %d)", rate.oneThread, rate.size, rate.size)
    )
    for row in distributed?.rows ?? [] { table.add(row) }
    let tables = [table.description] + (distributed.map { ["", $0.table.description] } ?? [])
    let lines = warnings.map { "warning: \($0.problem): \($0.advice)" }
    return (tables + [""] + (lines.isEmpty ? ["No warnings."] : lines))
      .joined(separator: "\n")
  }
}
