import Foundation

/// Why processes that a launcher started cannot work together.
public enum MessagePassingError: Error, Equatable {
  /// None of the libraries can be opened; each with the system's reason.
  case noLibrary(launch: Launch, tried: [String])
  /// The library's own error number as it began.
  case notInitialised(library: String, code: Int)
  /// The library knows of another number of processes than the launcher started.
  case otherLauncher(library: String, launch: Launch, found: Int)
}

extension MessagePassingError: CustomStringConvertible, LocalizedError {
  public var errorDescription: String? { description }

  public var description: String {
    switch self {
    case .noLibrary(let launch, let tried):
      """
      \(launch.words), and no MPI library can be used: install the launcher's own on every host \
      (Debian: openmpi-bin with libopenmpi3, or mpich), or name its file by \(Launch.libraryVariable). \
      Tried: \(tried.joined(separator: "; "))
      """
    case .notInitialised(let library, let code):
      "\(library): MPI_Init_thread: error \(code)"
    case .otherLauncher(let library, let launch, let found):
      """
      \(launch.words), and \(library) knows of \(found): it belongs to another launcher. Use the \
      mpirun of the same MPI, srun --mpi=pmix (or pmi2), or name the launcher's own library by \
      \(Launch.libraryVariable)
      """
    }
  }
}
