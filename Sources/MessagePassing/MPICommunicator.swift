import CMPI
import Foundation
import Objectives
import Tensors

/// Processes that a launcher started on one machine or many, and that speak by MPI. Any thread may call,
/// one after another.
///
/// Only messages between two processes are asked of the library, so that sums are added in the order of
/// ranks whatever the library is, and whoever is awaited in vain has a name.
public final class MPICommunicator: Communicator, @unchecked Sendable {
  public let rank: Int
  public let count: Int
  /// What the library calls itself.
  public let library: String
  /// By rank, where each process runs.
  public private(set) var hosts: [String] = []

  let thread: MessageThread
  let heartbeat: Heartbeat
  private let timeout: TimeInterval

  /// Joins the processes that a launcher started together.
  /// - Parameter timeout: The seconds after which a process that is silent is given up: this one then ends
  ///   with exit code 75.
  /// - Returns: nil where this process is alone.
  /// - Throws: ``MessagePassingError``.
  public static func joined(
    environment: [String: String] = ProcessInfo.processInfo.environment,
    timeout: TimeInterval = 60
  ) throws -> MPICommunicator? {
    guard let launch = Launch(environment: environment) else { return nil }
    let library = try open(launch, environment)
    let communicator = try MPICommunicator(launch, library: library, timeout: timeout)
    if let started = launch.count, started != communicator.count {
      communicator.finish()
      throw MessagePassingError.otherLauncher(
        library: library, launch: launch, found: communicator.count)
    }
    communicator.introduce()
    return communicator
  }

  /// - Returns: The file that was opened.
  private static func open(_ launch: Launch, _ environment: [String: String]) throws -> String {
    var tried: [String] = []
    for file in launch.libraries(environment: environment) {
      guard let reason = cmpi_open(file).map({ String(cString: $0) }) else { return file }
      // The system's reasons name the file, as a rule.
      tried.append(reason.hasPrefix(file) ? reason : "\(file): \(reason)")
    }
    throw MessagePassingError.noLibrary(launch: launch, tried: tried)
  }

  private init(_ launch: Launch, library: String, timeout: TimeInterval) throws {
    nonisolated(unsafe) var beating: Heartbeat?
    thread = MessageThread(every: Heartbeat.interval(timeout: timeout)) { beating?.attend() }
    let code = thread.run(within: timeout) {
      let code = cmpi_initialise()
      if code == 0 {
        beating = Heartbeat(rank: Int(cmpi_rank()), count: Int(cmpi_count()), timeout: timeout)
      }
      return code
    }
    guard let code else {
      Heartbeat.leave(
        "\(launch.words), and \(library) could not connect them within \(Int(timeout)) s: one did "
          + "not begin, or its host cannot be reached")
    }
    guard let beating else {
      throw MessagePassingError.notInitialised(library: library, code: Int(code))
    }
    (heartbeat, self.timeout) = (beating, timeout)
    (rank, count) = (beating.rank, beating.hosts.count)
    let version = MPICommunicator.text { cmpi_describe_library($0, Int32($1)) }
    // Of what may be a page, the version; MPICH's has a tab within.
    let first = version.prefix { !",\n".contains($0) }.replacing("\t", with: " ")
    self.library = "\(first), \(library)"
  }

  /// What a C function writes.
  private static func text(_ write: (UnsafeMutablePointer<CChar>, Int) -> Void) -> String {
    let capacity = 256
    var letters = [CChar](repeating: 0, count: capacity)
    write(&letters, capacity)
    return String(
      decoding: letters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Tells all where this process runs.
  private func introduce() {
    hosts = gathered([MPICommunicator.text { gethostname($0, $1 - 1) }]).map { $0[0] }
    thread.run { [heartbeat, hosts] in heartbeat.hosts = hosts }
  }

  /// Takes leave of the others, once all have come to this: nothing may be said any more.
  public func finish() {
    thread.run { [heartbeat] in heartbeat.end() }
    if thread.run(within: timeout, { cmpi_finalise() }) == nil {
      Heartbeat.leave("\(library): MPI_Finalize did not end within \(Int(timeout)) s")
    }
    thread.end()
  }

  // MARK: Communicator

  public func gathered(_ numbers: [Int64]) -> [[Int64]] {
    let own = Array(repeating: [Int64(numbers.count)], count: count)
    let counts = exchanged(words: own, for: "numbers").map { Int($0[0]) }
    return exchanged(
      words: Array(repeating: numbers, count: count), counts: counts, for: "numbers")
  }

  public func gathered(_ rows: Tensor) -> [Tensor] {
    exchanged(Array(repeating: rows, count: count)).compactMap { $0 }
  }

  public func summed(_ values: Tensor) -> Tensor {
    joined(summedRun(values, runs(of: values.count))).reshaped(values.shape)
  }

  public func exchanged(_ rows: [Tensor?]) -> [Tensor?] {
    precondition(rows.count == count, "rows for \(rows.count) of \(count) processes")
    let shapes = exchanged(words: rows.map(MPICommunicator.header), for: "rows")
      .map(MPICommunicator.shape)
    var sizes = shapes.map { $0?.reduce(1, *) ?? 0 }
    sizes[rank] = 0
    let all = Tensor(shape: [sizes.reduce(0, +), 1]) { target in
      MPICommunicator.read(rows[...]) { transfer($0, into: target, counts: sizes, for: "rows") }
    }
    let places = MPICommunicator.runs(sizes)
    return (0..<count).map { peer in
      peer == rank ? rows[rank] : shapes[peer].map { all.rows(places[peer]).reshaped($0) }
    }
  }

  public func name(of rank: Int) -> String { "process \(rank) on \(hosts[rank])" }

  public func any(_ flag: Bool) -> Bool {
    exchanged(words: Array(repeating: [flag ? 1 : 0], count: count), for: "a flag").contains([1])
  }
}
