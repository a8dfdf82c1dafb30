import Foundation
import TestSupport
import Testing

@testable import Training
@testable import blip2_train

struct MachineTests {
  @Test func limitsOfVersion2CountAtEveryLevel() throws {
    let scratch = try TemporaryFolder()
    try write(
      [
        "outer/memory.max": "8000\n", "outer/memory.current": "5000\n",
        "outer/memory.stat": "anon 1\ninactive_file 2000\n", "outer/cpu.max": "max 100000\n",
        "outer/inner/memory.max": "max\n", "outer/inner/memory.current": "400\n",
        "outer/inner/cpu.max": "150000 100000\n",
      ], in: scratch)
    let groups = ControlGroups(membership: "0::/outer/inner\n", root: scratch.url.path)
    #expect(groups.memory == .init(limit: 8000, used: 3000))
    #expect(groups.processorQuota == 1.5)
  }

  @Test func limitsOfVersion1AreRead() throws {
    let scratch = try TemporaryFolder()
    try write(
      [
        "memory/memory.limit_in_bytes": "9223372036854771712\n",
        "memory/a/memory.limit_in_bytes": "1000\n", "memory/a/memory.usage_in_bytes": "300\n",
        "cpu,cpuacct/cpu.cfs_quota_us": "-1\n", "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        "cpu,cpuacct/a/cpu.cfs_quota_us": "50000\n", "cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
      ], in: scratch)
    let groups = ControlGroups(
      membership: "4:memory:/a\n1:cpu,cpuacct:/a\n0::/\n", root: scratch.url.path)
    #expect(groups.memory == .init(limit: 1000, used: 300))
    #expect(groups.processorQuota == 0.5)
  }

  @Test(arguments: ["", "x", "0::/../../elsewhere", ":::", "4:memory"])
  func noLimitIsFoundWhereNoneIs(_ membership: String) throws {
    let groups = ControlGroups(membership: membership, root: try TemporaryFolder().url.path)
    #expect(groups.memory == nil)
    #expect(groups.processorQuota == nil)
  }

  @Test func aLimitLowersTheMemory() {
    let text = "MemTotal:  4000 kB\nMemFree: 1 kB\nMemAvailable:   3000 kB\n"
    #expect(
      SystemMemory(text, limit: nil)
        == .init(total: 4_096_000, available: 3_072_000))
    #expect(
      SystemMemory(text, limit: .init(limit: 2_000_000, used: 500_000))
        == .init(total: 2_000_000, available: 1_500_000))
    #expect(SystemMemory("MemTotal: many kB\n", limit: nil) == nil)
  }

  @Test func processorsAreNamed() {
    #expect(MachineReport.processorName(in: "processor\t: 0\nmodel name\t: A: B\n") == "A: B")
    #expect(MachineReport.processorName(in: "") == "unknown processor")
  }

  @Test(arguments: [
    ("Haswell", ["avx2", "fma", "avx512f"], true), ("Cooperlake", ["avx2", "fma"], false),
    ("Zen", ["avx2", "fma"], false), ("Nehalem", ["avx2", "fma"], true),
    ("Prescott", [], false), ("Later", ["avx512f"], false),
  ])
  func kernelsAreHeldAgainstTheProcessor(_ kernel: String, _ features: [String], _ below: Bool) {
    let harmful = Startup.harmfulVariables(
      in: ["OPENBLAS_CORETYPE": kernel], kernelName: kernel, processorFeatures: features)
    #expect(harmful == (below ? ["OPENBLAS_CORETYPE"] : []))
  }

  @Test func warningsSayWhatToDo() {
    let machine = MachineReport(
      processor: .init(
        name: "P", count: 8, quota: 2.5, features: ["avx2", "fma", "avx512f"],
        builtFeatures: ["avx2", "fma"]),
      kernel: "Haswell", threads: 8, memory: .init(total: 8 << 30, available: 1 << 30))
    let warnings = MachineWarning.all(about: machine, freeDiskSpace: 5, environment: [:])
    #expect(warnings.count == 5)
    #expect(warnings.contains { $0.advice == "set BLIP2_THREADS=2" })
    #expect(warnings.contains { $0.problem.contains("was not built for avx512f") })
    let kept = MachineWarning.all(
      about: machine, freeDiskSpace: nil, environment: ["OPENBLAS_CORETYPE": "Haswell"])
    #expect(kept.first?.advice == "unset OPENBLAS_CORETYPE")
    var good = machine
    good.kernel = "SkylakeX"
    good.threads = 2
    good.processor.builtFeatures = good.processor.features
    good.memory = nil
    #expect(MachineWarning.all(about: good, freeDiskSpace: 1 << 40, environment: [:]) == [])
    // Two threads that are no faster than one: the load tells why.
    func idle(_ rate: Double, load: Double) -> MachineWarning? {
      MachineWarning.all(
        about: good, freeDiskSpace: nil, environment: [:],
        rate: ProductRate(size: 2048, allThreads: rate, oneThread: 73), load: load
      ).first
    }
    #expect(idle(140, load: 9) == nil)
    let busy = idle(65, load: 9)
    #expect(
      busy?.problem
        == "2 threads multiply matrices at 65 GFLOP/s, one at 73 (load 9.0 in the last minute)")
    #expect(busy?.advice.hasPrefix("other programs") == true)
    #expect(idle(65, load: 0.1)?.advice.hasSuffix("BLIP2_THREADS=1") == true)
  }

  private func write(_ files: [String: String], in scratch: TemporaryFolder) throws {
    for (name, text) in files {
      let url = scratch.url.appendingPathComponent(name)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: url, atomically: false, encoding: .utf8)
    }
  }
}
