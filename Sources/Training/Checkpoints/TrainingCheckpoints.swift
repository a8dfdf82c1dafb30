import Checkpointing
import Configuration
import Datasets
import Files
import Foundation
import Layers
import Tensors

/// What makes a checkpoint belong to a run.
public struct RunIdentity {
  /// Such as `stage1`.
  public var kind: String
  /// The resolved configuration, YAML.
  public var configuration: String
  public var seed: UInt64
  /// Digests of what the run reads but does not store, by name.
  public var fingerprints: [String: String]
}

/// Writes and reads the checkpoints of a run: parameters under `/model`, moments under `/optimizer`.
public struct TrainingCheckpoints {
  let folder: CheckpointFolder
  let identity: RunIdentity
  /// The version of the program; checkpoints carry it.
  public static let programVersion = "0.1.0"

  /// Begins to write the state after a step: tensors are values, so that training on changes copies of
  /// those that are being written.
  /// - Parameter inPlace: Whether it is written before this returns.
  /// - Returns: The file, once the writing has ended. That throws `CheckpointError`; earlier checkpoints
  ///   then stay as they are.
  func beginSaving(
    _ state: TrainingState, _ snapshot: AdamW.Snapshot, inPlace: Bool
  ) -> (url: URL, writing: BackgroundWork) {
    let url = folder.file(step: state.step)
    var arrays: [CheckpointArray] = []
    for entry in snapshot.entries {
      arrays.append(.init("model", entry.name, entry.value))
      arrays.append(.init("optimizer/firstMoment", entry.name, entry.firstMoment))
      arrays.append(.init("optimizer/secondMoment", entry.name, entry.secondMoment))
    }
    let metadata = metadata(state, snapshot)
    let writing = BackgroundWork(inPlace: inPlace) { [arrays] in
      try CheckpointWriter.write(to: url, metadata: metadata, arrays: arrays)
    }
    return (url, writing)
  }

  /// Removes checkpoints that are no longer kept.
  /// - Throws: `CheckpointError`.
  func prune(_ state: TrainingState, keep: Int) throws {
    try folder.prune(keepLast: keep, best: state.best?.step, upToStep: state.step)
  }

  private func metadata(
    _ state: TrainingState, _ snapshot: AdamW.Snapshot
  ) -> CheckpointMetadata {
    var counters = [
      "threads": Double(Parallel.threadCount), "processes": Double(snapshot.processes),
      "updates": Double(snapshot.updates), "validatedStep": Double(state.validatedStep),
      "skippedSteps": Double(state.skippedSteps),
      "skippedImages": Double(state.skippedImages),
      "loggedSteps": Double(state.logged.steps),
    ]
    for (name, sum) in state.logged.values where sum.isFinite {
      counters[TrainingCheckpoints.sumPrefix + name] = sum
    }
    if let best = state.best {
      counters["bestStep"] = Double(best.step)
      counters["bestValue"] = best.value
    }
    var metadata = CheckpointMetadata(
      kind: identity.kind, step: state.step, epoch: state.position.epoch,
      dataPosition: state.position.position, seed: identity.seed,
      configuration: identity.configuration, programVersion: TrainingCheckpoints.programVersion)
    metadata.workingFolder = WorkingFolder.path
    metadata.fingerprints = identity.fingerprints
    metadata.counters = counters
    return metadata
  }

  private static let sumPrefix = "logged."

  /// Puts a checkpoint's numbers into the model and the optimiser.
  /// - Throws: `CheckpointError`, naming the parameter and both shapes where they differ.
  static func restore(_ file: CheckpointFile, into optimizer: AdamW) throws -> TrainingState {
    for (index, entry) in optimizer.entries.enumerated() {
      entry.parameter.value = try file.tensor("model", entry.name, entry.parameter.shape)
      let (first, second) = ("optimizer/firstMoment", "optimizer/secondMoment")
      let squares = try file.tensor(second, entry.name, entry.parameter.shape)
      if squares.values.contains(where: { $0 < 0 }) {
        throw CheckpointError.unusableNumbers(
          file.url, path: CheckpointArray.path(second, entry.name), found: "a square below 0")
      }
      optimizer.setMoments(
        index, first: try file.tensor(first, entry.name, entry.parameter.shape), second: squares)
    }
    let counters = file.metadata.counters
    func count(_ name: String) -> Int { Int(counters[name] ?? 0) }
    optimizer.updates = count("updates")
    var state = TrainingState()
    state.step = file.metadata.step
    state.position = LoaderPosition(
      epoch: file.metadata.epoch, position: file.metadata.dataPosition)
    state.skippedSteps = count("skippedSteps")
    state.skippedImages = count("skippedImages")
    state.validatedStep = count("validatedStep")
    if let value = counters["bestValue"] {
      state.best = TrainingState.Best(step: count("bestStep"), value: value)
    }
    state.logged.steps = count("loggedSteps")
    for (name, sum) in counters where name.hasPrefix(sumPrefix) {
      state.logged.values[String(name.dropFirst(sumPrefix.count))] = sum
    }
    return state
  }
}

extension CheckpointFile {
  /// Reads one array of a parameter.
  /// - Throws: `CheckpointError`, also for numbers that are not finite: nothing sound comes of them.
  func tensor(_ group: String, _ name: String, _ shape: [Int]) throws -> Tensor {
    let path = CheckpointArray.path(group, name)
    let tensor = try Tensor(shape: shape) { target in
      try read(
        path, into: UnsafeMutableBufferPointer(start: target, count: shape.reduce(1, *)),
        expectedShape: shape)
    }
    if tensor.hasNonFinite {
      throw CheckpointError.unusableNumbers(
        url, path: path, found: "numbers that are not finite (NaN or infinity)")
    }
    return tensor
  }

  /// Puts the file's values into parameters.
  public func load(into parameters: [NamedParameter]) throws {
    for entry in parameters {
      entry.parameter.value = try tensor("model", entry.name, entry.parameter.shape)
    }
  }

  /// The parameters that the file holds, by our names.
  public var parameterNames: [String] {
    arrays.compactMap {
      $0.path.hasPrefix("model/")
        ? $0.path.dropFirst("model/".count).replacingOccurrences(of: "/", with: ".") : nil
    }
  }
}

extension CheckpointArray {
  /// `model/qFormer/layers/0/…` for a parameter's dotted name.
  package static func path(_ group: String, _ name: String) -> String {
    "\(group)/" + name.replacingOccurrences(of: ".", with: "/")
  }

  package init(_ group: String, _ name: String, _ tensor: Tensor) {
    self.init(path: CheckpointArray.path(group, name), shape: tensor.shape) { body in
      try tensor.read { try body(UnsafeBufferPointer(start: $0, count: tensor.count)) }
    }
  }
}
