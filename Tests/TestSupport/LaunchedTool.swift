import Foundation

/// The built program, started several times at once by a launcher of MPI.
extension BuiltTool {
  /// What `BLIP2_MPIRUN` names, else Open MPI's launcher, else any; nil where none is installed.
  public static let mpirun: URL? = {
    let environment = ProcessInfo.processInfo.environment
    let folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    let names = ["mpirun.openmpi", "mpirun"].flatMap { name in folders.map { "\($0)/\(name)" } }
    return ([environment["BLIP2_MPIRUN"]].compactMap { $0 } + names)
      .first(where: FileManager.default.isExecutableFile).map { URL(fileURLWithPath: $0) }
  }()

  /// Whether it can start two processes here, which not every container lets it do.
  public static let canLaunch: Bool = {
    guard let mpirun else { return false }
    let trial = try? Running(
      ["-n", "2", "/bin/true"], program: mpirun, environment: launcherSettings, output: nil
    ).finish()
    return trial?.status == 0
  }()

  /// Runs processes of the program together to their end.
  /// - Parameters:
  ///   - commands: What a shell executes in each before it becomes the program; `$rank` is the process's.
  public static func run(
    _ arguments: [String], processes: Int, after commands: String = "",
    environment: [String: String] = [:]
  ) throws -> Result {
    try start(arguments, processes: processes, after: commands, environment: environment).finish()
  }

  /// Starts processes of the program together and returns at once.
  public static func start(
    _ arguments: [String], processes: Int, after commands: String = "",
    environment: [String: String] = [:]
  ) throws -> Running {
    let script = "rank=${OMPI_COMM_WORLD_RANK:-$PMI_RANK}\n\(commands)\nexec \"$0\" \"$@\""
    return try Running(
      ["-n", "\(processes)", "/bin/bash", "-c", script, url.path] + arguments,
      program: mpirun ?? URL(fileURLWithPath: "mpirun"),
      environment: launcherSettings.merging(environment) { $1 }, output: nil)
  }

  /// Open MPI runs for root, and more processes than processors, only if told so; in containers it may not
  /// read other processes' memory.
  private static let launcherSettings = [
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
  ]
}
