import ArgumentParser
import Foundation
import Tensors

/// `blip2-train doctor`.
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what this machine offers, how fast it is, and what slows it down.",
    discussion: """
      Prints the processor, the libraries, threads, memory and disk space, and the measured speed \
      of matrix products; then a warning, with advice, for whatever stands in a run's way. It \
      takes some seconds. The exit status is 0 even where there are warnings.

      Examples:
        blip2-train doctor
        BLIP2_THREADS=1 blip2-train doctor
        blip2-train doctor --json
      """)

  @Flag(help: "Print everything as one JSON object; sizes are in bytes, rates in GFLOP/s.")
  var json = false

  func run() throws {
    let examination = Examination.now()
    if json {
      try StandardOutput.printJSON(examination)
    } else {
      print(examination.text)
    }
  }
}

/// All that `doctor` finds.
private struct Examination: Encodable {
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
  let matrixProduct: ProductRate
  let warnings: [MachineWarning]

  static func now() -> Examination {
    let machine = MachineReport.current()
    let disk = disk(of: FileManager.default.currentDirectoryPath)
    return Examination(
      version: Blip2Train.version, machine: machine, libraries: LinkedLibrary.all(), disk: disk,
      matrixProduct: .measure(),
      warnings: MachineWarning.all(
        about: machine, freeDiskSpace: disk?.free,
        environment: ProcessInfo.processInfo.environment))
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

  var text: String {
    var table = TextTable(.left, .left)
    table.add("blip2-train", version)
    for row in machine.rows { table.add(row) }
    if let disk {
      table.add("disk of \(disk.folder)", "\(Quantity.bytes(disk.free)) free")
    }
    for library in libraries {
      table.add(
        library.name, [library.version, library.file].compactMap { $0 }.joined(separator: ", "))
    }
    let rate = matrixProduct
    table.add(
      "matrix product",
      String(format: "%.0f GFLOP/s with ", rate.allThreads)
        + Quantity.of(machine.threads, "thread")
        + String(format: ", %.0f with one (float32, %d × %d)", rate.oneThread, rate.size, rate.size)
    )
    let lines = warnings.map { "warning: \($0.problem): \($0.advice)" }
    return ([table.description, ""] + (lines.isEmpty ? ["No warnings."] : lines))
      .joined(separator: "\n")
  }
}
