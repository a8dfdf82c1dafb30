import Foundation
import Tensors
import TestSupport
import Testing

@testable import blip2_train

/// What shells and batch systems allow a process: it works within that, or says in one line what it needs.
struct ProcessLimitTests {
  private func recipe(_ folder: TemporaryFolder) throws -> String {
    try folder.write(
      """
      model:
        qFormer: {width: 16, layers: 1, heads: 2, feedForwardWidth: 32, queries: 2}
        embeddingWidth: 8
      vision: {path: Data/demo/encoder}
      data: {train: {path: Data/demo/heldout.jsonl}, workers: 1}
      training: {steps: 2, batchSize: 4}
      validation: {every: 0}
      """, to: "recipe.yaml"
    ).path
  }

  /// KiB from where the program's libraries have room, across the powers of two at which an arena that
  /// took all it can get left too little for matrix products.
  @Test(arguments: [
    200_000, 300_000, 450_000, 600_000, 620_000, 650_000, 700_000, 1_000_000, 1_500_000, 2_500_000,
    4_600_000, 8_800_000,
    17_200_000,
  ])
  func addresses(_ kibibytes: Int) throws {
    let folder = try TemporaryFolder()
    let result = try BuiltTool.run(
      ["stage1", "--config", try recipe(folder), "--output", folder.path("a")],
      after: "ulimit -v \(kibibytes)")
    if result.status != 0 {
      #expect(result.status == 1, "\(result.errors)")
      #expect(result.errorLines.count == 1, "\(result.errors)")
      #expect(result.errors.hasPrefix("error: ulimit -v is "), "\(result.errors)")
      #expect(kibibytes < 1_000_000, "\(result.errors)")
    }
  }

  @Test func aRunLargerThanItsAddressesIsRefusedWithBothNumbers() throws {
    let folder = try TemporaryFolder()
    let result = try BuiltTool.run(
      [
        "stage1", "--config", try recipe(folder), "--output", folder.path("a"), "--set",
        "model.qFormer.width=8192", "--set", "model.qFormer.heads=64",
      ],
      // The machine has more, even while others use it, and one thread has room: neither is spoken of.
      after: "ulimit -v 1000000", environment: ["BLIP2_THREADS": "1"])
    #expect(result.status == 1 && result.errorLines.count == 1, "\(result.errors)")
    #expect(result.errors.contains("GiB of memory"))
    #expect(result.errors.contains("ulimit -v of 976.6 MiB has"))
  }

  @Test(arguments: [7, 16, 32, 64])
  func openFiles(_ count: Int) throws {
    let folder = try TemporaryFolder()
    let result = try BuiltTool.run(
      ["stage1", "--config", try recipe(folder), "--output", folder.path("a")],
      after: "ulimit -n \(count)")
    #expect(result.status == (count < 24 ? 1 : 0), "\(result.errors)")
    if count < 24 {
      #expect(result.errors.hasPrefix("error: ulimit -n is \(count), and"), "\(result.errors)")
    }
  }

  @Test(arguments: [64, 256])
  func aSmallStackSuffices(_ kibibytes: Int) throws {
    let folder = try TemporaryFolder()
    let result = try BuiltTool.run(
      ["stage1", "--config", try recipe(folder), "--output", folder.path("a")],
      after: "ulimit -s \(kibibytes)")
    #expect(result.status == 0, "\(result.errors)")
  }

  /// Descriptors that a parent closed must not become a checkpoint's or a lock's.
  @Test func closedStandardStreamsAreFilled() throws {
    let folder = try TemporaryFolder()
    let result = try BuiltTool.run(
      ["stage1", "--config", try recipe(folder), "--output", folder.path("a")],
      after: "exec 0<&- 1>&- 2>&-")
    #expect(result.status == 0)
    let lock = try String(contentsOfFile: folder.path("a/.lock"), encoding: .utf8)
    #expect(Int(lock.trimmingCharacters(in: .newlines)) != nil, "\(lock)")
  }

  @Test func filesLimitsStopNoRun() throws {
    let folder = try TemporaryFolder()
    let result = try BuiltTool.run(
      ["stage1", "--config", try recipe(folder), "--output", folder.path("a")],
      after: "ulimit -f 100")
    #expect(result.status == 1)
    #expect(result.errors.contains("(ulimit -f)"), "\(result.errors)")
  }

  @Test(arguments: ["abc", "0", "-3", "3.5", " 2"])
  func threadsThatAreNoneAreRefused(_ text: String) throws {
    let result = try BuiltTool.run(["doctor"], environment: ["BLIP2_THREADS": text])
    #expect(result.status == 1)
    #expect(result.errors.contains("BLIP2_THREADS: expected a whole number"))
    #expect(result.errors.contains("found \"\(text)\""))
  }

  @Test func threadsFollowProcessorsAndQuotas() throws {
    func threads(_ text: String?, _ available: Int, _ quota: Double?) throws -> Int {
      try ProcessLimits.wantedThreads(
        environment: text.map { ["BLIP2_THREADS": $0] } ?? [:], available: available, quota: quota)
    }
    #expect(try threads(nil, 8, nil) == 8)
    #expect(try threads(nil, 8, 2.5) == 2)
    #expect(try threads(nil, 8, 0.5) == 1)
    #expect(try threads(nil, 2, 16) == 2)
    #expect(try threads("5", 2, 1) == 5)
    #expect(try threads("100000", 2, nil) == Parallel.threadLimit)
    #expect(try threads("", 3, nil) == 3)
  }

  @Test func processesOfOneHostShareItsProcessors() throws {
    func threads(_ processes: Int, _ available: Int, _ quota: Double? = nil) throws -> Int {
      try ProcessLimits.wantedThreads(
        environment: [
          "OMPI_COMM_WORLD_SIZE": "8", "OMPI_COMM_WORLD_LOCAL_SIZE": "\(processes)",
        ], available: available, quota: quota, ofHost: 16)
    }
    #expect(try threads(1, 16) == 16)
    #expect(try threads(4, 16) == 4)
    #expect(try threads(4, 2) == 2)
    #expect(try threads(4, 16, 6) == 1)
    #expect(try threads(32, 16) == 1)
  }

  @Test func threadsHaveRoomOrAreFewer() throws {
    let limit = { AddressLimit(name: "ulimit -v", bytes: $0 << 20) }
    #expect(throws: Failure.self) {
      try ProcessLimits.threads(wanted: 1, limit: limit(590), inUse: 200 << 20)
    }
    #expect(try ProcessLimits.threads(wanted: 8, limit: limit(600), inUse: 200 << 20) == 1)
    #expect(try ProcessLimits.threads(wanted: 8, limit: limit(1000), inUse: 200 << 20) == 2)
    #expect(try ProcessLimits.threads(wanted: 8, limit: limit(8000), inUse: 200 << 20) == 8)
  }
}
