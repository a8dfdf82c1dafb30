import Foundation

/// Gives damaged files to a reader, which must answer each with a value or with an error of its own,
/// soon and without much memory.
///
/// - `BLIP2_FUZZ_CASES`: the number of cases for each reader.
/// - `BLIP2_FUZZ_SEED`: another seed gives other cases.
/// - `BLIP2_FUZZ_CASE`: only this one.
/// - `BLIP2_FUZZ_JOURNAL`: a folder in which a file for each reader always names the case under way,
///   for the event that it ends the process.
public struct FuzzRun {
  /// A file to be damaged.
  public struct Sample {
    public let name: String
    public let bytes: [UInt8]

    public init(name: String, bytes: [UInt8]) {
      self.name = name
      self.bytes = bytes
    }

    public init(_ url: URL) throws {
      self.init(name: url.lastPathComponent, bytes: [UInt8](try Data(contentsOf: url)))
    }
  }

  /// What came of a run.
  public struct Report: CustomStringConvertible {
    public let reader: String
    public fileprivate(set) var accepted = 0
    public fileprivate(set) var refused = 0
    public fileprivate(set) var slowest = Duration.zero
    public fileprivate(set) var slowestCase = 0
    /// How far memory rose above what it was at the beginning, in MiB; nil where the system does
    /// not say.
    public fileprivate(set) var memoryGrowth: Int?
    /// What must not have happened, with how to repeat it.
    public fileprivate(set) var problems: [String] = []

    public var description: String {
      let memory = memoryGrowth.map { "\($0) MiB" } ?? "unknown"
      return "fuzzing \(reader): \(accepted) accepted, \(refused) refused; "
        + "slowest \(slowest.formatted(.units(allowed: [.milliseconds]))) (case \(slowestCase)); "
        + "memory rose by \(memory)"
    }
  }

  /// A case that works longer has failed. Sanitizers stay far below.
  public static let longestDuration = Duration.seconds(10)
  /// A run whose memory rises by more MiB has failed.
  public static let largestMemoryGrowth = 256

  private static let defaultCaseCount = 200
  private static let environment = ProcessInfo.processInfo.environment
  private static func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }

  private let reader: String
  private let samples: [Sample]
  private let isExpected: (any Error) -> Bool

  /// - Parameters:
  ///   - reader: Its name in messages.
  ///   - samples: The files to begin with.
  ///   - isExpected: Whether an error is of the reader's own.
  public init(reader: String, samples: [Sample], isExpected: @escaping (any Error) -> Bool) {
    precondition(!samples.isEmpty, "fuzzing \(reader) needs a file to begin with")
    self.reader = reader
    self.samples = samples
    self.isExpected = isExpected
  }

  /// - Parameters:
  ///   - damage: Makes a case from a file; the last argument is another one.
  ///   - read: The reader.
  public func run(
    damage: (inout Mutator, [UInt8], [UInt8]) -> [UInt8], read: ([UInt8]) throws -> Void
  ) -> Report {
    var report = Report(reader: reader)
    let journal = Self.environment["BLIP2_FUZZ_JOURNAL"].flatMap {
      FuzzJournal(URL(fileURLWithPath: $0).appendingPathComponent("\(reader).txt"))
    }
    let start = MemoryUse.startPeak()
    var cases = 0..<(Self.number("BLIP2_FUZZ_CASES") ?? Self.defaultCaseCount)
    if let only = Self.number("BLIP2_FUZZ_CASE") { cases = only..<only + 1 }
    for number in cases {
      let sample = samples[number % samples.count]
      let identity = identity(of: number, sample)
      journal?.note(identity)
      var mutator = Mutator(seed: Self.seed(of: number, reader: reader))
      let other = samples[mutator.below(samples.count)]
      let bytes = damage(&mutator, sample.bytes, other.bytes)
      attempt(bytes, number, identity, read, &report)
    }
    journal?.close()
    if let start, let peak = MemoryUse.peak() {
      report.memoryGrowth = (peak - start) / 1024
      if peak - start > Self.largestMemoryGrowth * 1024 {
        report.problems.append("memory rose by \((peak - start) / 1024) MiB")
      }
    }
    print(report)
    fflush(nil)  // A later reader may end the process.
    return report
  }

  private func attempt(
    _ bytes: [UInt8], _ number: Int, _ identity: String, _ read: ([UInt8]) throws -> Void,
    _ report: inout Report
  ) {
    let duration = WorkTime.measure {
      do {
        try read(bytes)
        report.accepted += 1
      } catch  where isExpected(error) {
        report.refused += 1
      } catch {
        report.problems.append("\(identity): unexpected error: \(error)")
      }
    }
    if duration > Self.longestDuration { report.problems.append("\(identity): took \(duration)") }
    if duration > report.slowest { (report.slowest, report.slowestCase) = (duration, number) }
  }

  private func identity(of number: Int, _ sample: Sample) -> String {
    "\(reader), case \(number) (from \(sample.name)); to repeat it: "
      + "BLIP2_FUZZ_SEED=\(Self.number("BLIP2_FUZZ_SEED") ?? 0) BLIP2_FUZZ_CASE=\(number) make fuzz"
  }

  /// Each case has a seed of its own, so that it can be run without those before it.
  private static func seed(of number: Int, reader: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in "\(reader)/\(Self.number("BLIP2_FUZZ_SEED") ?? 0)/\(number)".utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }
    return hash
  }
}

/// A file that names the case under way.
private struct FuzzJournal {
  private let url: URL
  private let handle: FileHandle

  init?(_ url: URL) {
    guard FileManager.default.createFile(atPath: url.path, contents: nil),
      let handle = try? FileHandle(forWritingTo: url)
    else { return nil }
    self.url = url
    self.handle = handle
  }

  /// Written over the last one: to empty a file before each case would wait for the disk.
  func note(_ identity: String) {
    let line = identity.padding(toLength: 400, withPad: " ", startingAt: 0)
    try? handle.seek(toOffset: 0)
    try? handle.write(contentsOf: Data(line.utf8.prefix(400)))
  }

  func close() {
    try? handle.close()
    try? FileManager.default.removeItem(at: url)
  }
}

/// The memory of this process in KiB, as Linux tells it.
private enum MemoryUse {
  /// Makes the highest use so far that of now, and returns it; nil where the system does not let it.
  static func startPeak() -> Int? {
    guard let handle = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return nil }
    defer { try? handle.close() }
    guard (try? handle.write(contentsOf: Data("5".utf8))) != nil else { return nil }
    return peak()
  }

  static func peak() -> Int? {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
    else { return nil }
    return line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }
  }
}
