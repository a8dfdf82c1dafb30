import CPlatform
import Foundation
import Reporting
import Tensors
import Training

/// The limits that shells, batch systems and containers put on a process: what fits in them is taken,
/// and what does not is refused in one line.
enum ProcessLimits {
  /// The stack that the commands want, as most systems give it.
  static let stackSize = 8 << 20

  /// Lets this process open as many files as the system allows: the soft limit is there for old programs.
  /// - Throws: `Failure` where even that is too few.
  static func raiseOpenFiles() throws {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(resource, &limit) == 0 else { return }
    if limit.rlim_cur < limit.rlim_max {
      // Beyond this nothing here wants more, and tables of the kernel grow with it.
      limit.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, 65_536))
      setrlimit(resource, &limit)
    }
    guard limit.rlim_cur >= leastFiles else {
      throw Failure(
        "ulimit -n is \(limit.rlim_cur), and this program needs at least \(leastFiles) open files: "
          + "raise the limit")
    }
  }

  /// Files that are open at once at the least: standard streams, a lock, a checkpoint, logs, a few shards.
  private static let leastFiles = 24

  /// Runs the program on a stack of the usual size, whatever `ulimit -s` says, and lets all threads to
  /// come have one. A thread's stack is memory like any other: only the first one's has that limit.
  static func withStack(_ body: @escaping @Sendable () -> Void) {
    var limit = rlimit()
    let isKnown = getrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &limit) == 0
    guard isKnown, limit.rlim_cur < stackSize else { return body() }
    cplatform_give_threads_stacks(stackSize)
    let isDone = DispatchSemaphore(value: 0)
    Thread {
      body()
      isDone.signal()
    }.start()
    isDone.wait()
  }

  /// The threads to use: what `BLIP2_THREADS` says, else one for each processor whose time this
  /// process may have.
  /// - Throws: `Failure` where the variable says something else than a number of threads.
  static func wantedThreads(
    environment: [String: String], available: Int = Parallel.availableProcessorCount,
    quota: Double? = ControlGroups().processorQuota
  ) throws -> Int {
    guard let text = environment["BLIP2_THREADS"], !text.isEmpty else {
      return min(available, quota.map { max(1, Int($0)) } ?? available)
    }
    guard let threads = Int(text), threads >= 1 else {
      throw Failure("BLIP2_THREADS: expected a whole number of at least 1, found \"\(text)\"")
    }
    return min(threads, Parallel.threadLimit)
  }

  /// How many of the wanted threads have room under a limit on addresses.
  ///
  /// Each takes a work space of OpenBLAS and a stack. Half of what is left goes to them at most: the
  /// other half is for the model and its data.
  /// - Throws: `Failure` where not even one has.
  static func threads(wanted: Int, limit: AddressLimit, inUse: Int) throws -> Int {
    let each = BLAS.workSpace + stackSize
    let least = inUse + each + leastWork
    guard limit.bytes >= least else {
      throw Failure(
        "\(limit.name) is \(Quantity.bytes(limit.bytes)), and this program needs at least "
          + "\(Quantity.bytes(least)) of addresses: raise the limit (ulimit -v is in KiB)")
    }
    return max(1, min(wanted, (limit.bytes - inUse) / 2 / each))
  }

  /// What a command needs at least beside libraries and threads.
  private static let leastWork = 256 << 20

  /// Threads that loaders of images, libraries and signals want beside those that compute.
  private static let furtherThreads = 6

  /// Makes sure that threads can be made, where few are allowed (`ulimit -u`): a loader that is granted
  /// none would be waited for in vain.
  /// - Throws: `Failure`.
  static func requireThreads() throws {
    var limit = rlimit()
    let resource = __rlimit_resource_t(__RLIMIT_NPROC.rawValue)
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < 65_536 else { return }
    var threads: [pthread_t] = []
    let gate = DispatchSemaphore(value: 0)
    let context = Unmanaged.passUnretained(gate).toOpaque()
    for _ in 0..<furtherThreads {
      var thread = pthread_t()
      let status = pthread_create(
        &thread, nil,
        { context in
          if let context {
            Unmanaged<DispatchSemaphore>.fromOpaque(context).takeUnretainedValue().wait()
          }
          return nil
        }, context)
      if status == 0 { threads.append(thread) }
    }
    for _ in threads { gate.signal() }
    for thread in threads { pthread_join(thread, nil) }
    guard threads.count == furtherThreads else {
      throw Failure(
        "ulimit -u is \(limit.rlim_cur), which leaves this program \(threads.count) of the "
          + "\(furtherThreads) threads that it needs beside those that compute: raise the limit")
    }
  }

  /// Lets a limit on processor time (`ulimit -t`) be told of before it ends the process: the warning,
  /// SIGXCPU, comes at the soft limit, and shells set it to the hard one.
  static func warnBeforeProcessorTimeEnds() {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_CPU.rawValue)
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur == limit.rlim_max,
      limit.rlim_max != rlim_t.max, limit.rlim_max > 1
    else { return }
    limit.rlim_cur = limit.rlim_max - min(60, max(1, limit.rlim_max / 10))
    setrlimit(resource, &limit)
  }
}
