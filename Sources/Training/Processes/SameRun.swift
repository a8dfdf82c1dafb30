import Configuration
import Datasets
import Objectives

extension Trainer {
  /// Makes sure that all processes are about to train the same: by the same version and recipe, from the same
  /// files, step and values.
  /// - Throws: `RunError.processesDiffer` with what the first process that differs has otherwise.
  func requireSame(_ identity: RunIdentity, _ state: TrainingState, _ optimizer: AdamW) throws {
    if communicator.count == 1 { return }
    var own = identity.fingerprints
    own["version"] = TrainingCheckpoints.programVersion
    own["step"] = "\(state.step)"
    own["the place in the data"] = "\(state.position.position) of epoch \(state.position.epoch)"
    let checksum = optimizer.checksums()[communicator.rank]
    own["the parameters' checksum"] = String(checksum, radix: 16)
    let names = own.keys.sorted()
    let recipes = communicator.gathered([identity.configuration]).map { $0[0] }
    let facts = communicator.gathered(names.flatMap { [$0, own[$0] ?? ""] })
    try communicator.agreed {
      let others = stride(from: 0, to: facts[0].count, by: 2).map {
        (facts[0][$0], facts[0][$0 + 1])
      }
      let first = Dictionary(others) { $1 }
      let differences =
        try keyDifferences(from: recipes[0])
        + Set(names).union(first.keys).sorted().filter { own[$0] != first[$0] }.map {
          "\($0): \(first[$0] ?? "none") there, \(own[$0] ?? "none") here"
        }
      if differences.isEmpty { return }
      throw RunError.processesDiffer(
        first: communicator.name(of: 0), differences: differences)
    }
  }

  /// Keys of another process's recipe that matter to all and have other values here.
  private func keyDifferences(from recipe: String) throws -> [String] {
    let first = try ConfigurationLoader.load(
      R.Configuration(), text: recipe, name: communicator.name(of: 0))
    return try KeyDifference.between(first, configuration, like: R.Configuration())
      .filter { $0.resume != .free }.map { "\($0.path): \($0.then) there, \($0.now) here" }
  }
}
