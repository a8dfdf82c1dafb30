import CPlatform
import Foundation
import Reporting
import Tensors
import Training

/// What happens before any command: limits are heeded, and OpenBLAS is freed of inherited settings that
/// slow it down.
///
/// OpenBLAS reads its variables when it is loaded, before `main`. The only way to be rid of one is
/// to begin again without it, so the program then executes itself once more: same process, same
/// arguments, same open files, same signals.
enum Startup {
  /// Keeps the environment as it is when set to 1.
  static let keepVariable = "BLIP2_KEEP_OPENBLAS_ENVIRONMENT"
  /// Marks the second beginning.
  static let restartedVariable = "BLIP2_RESTARTED"

  /// Call it once, before the first matrix product.
  /// - Throws: `Failure` where the environment or its limits leave no way to work.
  static func prepare() throws {
    unblockStopSignals()
    try ProcessLimits.raiseOpenFiles()
    ProcessLimits.warnBeforeProcessorTimeEnds()
    // Lines of a long run are to be seen when they are written, in a file or a pipe too.
    setvbuf(stdout, nil, _IOLBF, 0)
    // A reader that goes away is an error like any other, not the end of a run without a checkpoint.
    signal(SIGPIPE, SIG_IGN)
    // So is a file that grows past `ulimit -f`.
    signal(SIGXFSZ, SIG_IGN)
    let environment = ProcessInfo.processInfo.environment
    let isSecondStart = environment[restartedVariable] != nil
    // Programs started from here begin for the first time.
    unsetenv(restartedVariable)
    // One that was begun again is named after the last part of /proc/self/exe by the system.
    cplatform_name_process("blip2-train")
    let harmful = harmfulVariables(
      in: environment, kernelName: BLAS.kernelName,
      processorFeatures: MachineReport.words(cplatform_processor_features()))
    if !harmful.isEmpty {
      let list = harmful.map { "\($0)=\(environment[$0] ?? "")" }.joined(separator: " ")
      if environment[keepVariable] == "1" || isSecondStart {
        StandardError.write(
          "warning: \(list) in the environment can slow matrix products down: unset it")
      } else {
        restart(without: harmful, list: list)
      }
    }
    BLAS.useOneThread()
    try startThreads(environment)
    try ProcessLimits.requireThreads()
  }

  /// Starts as many threads as there are to be, and gives each its room while there is some.
  private static func startThreads(_ environment: [String: String]) throws {
    let wanted = try ProcessLimits.wantedThreads(environment: environment)
    guard let limit = AddressLimit.current else { return Parallel.use(threads: wanted) }
    // Each thread's own heap would reserve 64 MiB.
    cplatform_share_one_heap()
    let threads = try ProcessLimits.threads(
      wanted: wanted, limit: limit, inUse: AddressLimit.bytesInUse)
    if threads < wanted {
      StandardError.write(
        "warning: \(limit.name) of \(Quantity.bytes(limit.bytes)) leaves room for "
          + "\(Quantity.of(threads, "thread")) of \(wanted): raise it to use more processors")
    }
    Parallel.use(threads: threads)
    BLAS.reserveWorkSpaces(Parallel.threadCount)
  }

  /// A program inherits its parent's blocked signals, and parents that start it from a thread of
  /// libdispatch block nearly all: it could then only be killed.
  private static func unblockStopSignals() {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in StopRequest.signals { sigaddset(&signals, signal) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// The variables that make OpenBLAS slower than it is by itself: a kernel below the processor's
  /// abilities, and block sizes for another processor. The number of threads does no harm: it is
  /// set to one at run time.
  static func harmfulVariables(
    in environment: [String: String], kernelName: String, processorFeatures: [String]
  ) -> [String] {
    var harmful: [String] = []
    let kernel = VectorLevel(kernelName: kernelName)
    if let kernel, kernel < VectorLevel(processorFeatures: processorFeatures) {
      harmful.append("OPENBLAS_CORETYPE")
    }
    harmful += ["OPENBLAS_L2_SIZE", "OPENBLAS_BLOCK_FACTOR"]
    return harmful.filter { !(environment[$0] ?? "").isEmpty }
  }

  private static func restart(without variables: [String], list: String) {
    StandardError.write(
      "note: restarting without \(list), which can slow matrix products down "
        + "(\(keepVariable)=1 keeps it)")
    for name in variables { unsetenv(name) }
    setenv(restartedVariable, "1", 1)
    // Spares making threads that would only sleep.
    setenv("OPENBLAS_NUM_THREADS", "1", 1)
    // The OpenMP build of OpenBLAS lets idle threads spin otherwise.
    setenv("OMP_WAIT_POLICY", "passive", 1)
    execve("/proc/self/exe", CommandLine.unsafeArgv, environ)
    let code = errno
    unsetenv(restartedVariable)
    StandardError.write(
      "warning: cannot restart: \(String(cString: strerror(code))); "
        + "start the program without \(variables.joined(separator: " and "))")
  }
}
