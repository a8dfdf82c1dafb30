/// What a launcher (`mpirun`, `srun`) tells each process that it starts.
public struct Launch: Equatable, Sendable {
  /// The variable that says so.
  let variable: String
  /// The processes of the run; nil where the launcher leaves that to the library.
  public let count: Int?
  /// Those of them on this host, as far as the launcher says.
  public let localCount: Int?

  /// - Returns: nil where no launcher started this process, or it started one alone.
  public init?(environment: [String: String]) {
    func number(_ variable: String) -> Int? { environment[variable].flatMap { Int($0) } }
    let counts = [Launch.openMPI, "PMI_SIZE", "SLURM_STEP_NUM_TASKS"]
    if let variable = counts.first(where: { number($0) != nil }) {
      (self.variable, count) = (variable, number(variable))
    } else if environment["PMIX_RANK"] != nil {
      (variable, count) = ("PMIX_RANK", nil)
    } else {
      return nil
    }
    if count == 1 { return nil }
    localCount = number("OMPI_COMM_WORLD_LOCAL_SIZE") ?? number("MPI_LOCALNRANKS")
  }

  private static let openMPI = "OMPI_COMM_WORLD_SIZE"

  /// Names one library instead of those that are looked for.
  static let libraryVariable = "BLIP2_MPI_LIBRARY"

  /// The libraries to be tried, in order. Two may be installed side by side: the launcher's own goes first,
  /// since another would take each process for one alone.
  func libraries(environment: [String: String]) -> [String] {
    if let file = environment[Launch.libraryVariable], !file.isEmpty { return [file] }
    let openMPI = ["libmpi.so.40"]
    let mpich = ["libmpi.so.12", "libmpich.so.12"]
    let first = variable == "PMI_SIZE" ? mpich + openMPI : openMPI + mpich
    return first + ["libmpi_abi.so.1", "libmpi.so", "libmpich.so", "libmpi_abi.so"]
  }

  /// For messages: "a launcher started 4 processes (PMI_SIZE)".
  var words: String {
    "a launcher started \(count.map { "\($0) processes" } ?? "this process") (\(variable))"
  }
}
