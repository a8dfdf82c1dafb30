import Autograd
import Checkpointing
import Foundation
import Layers
import Tensors
import TestSupport
import Testing

@testable import Training

/// Saves that go on beside the training.
@Suite struct CheckpointSavingTests {
  private let folder: TemporaryFolder
  private let checkpoints: TrainingCheckpoints
  private let parameter = Parameter(shape: [300, 400], decays: false) { .zeros([300, 400]) }
  private let optimizer: AdamW
  private let said = Said()

  private final class Said {
    var all: [String] = []
    /// Without the note of a machine that has little memory left.
    var lines: [String] { all.filter { !$0.hasPrefix("note: ") } }
  }

  init() throws {
    folder = try TemporaryFolder()
    checkpoints = TrainingCheckpoints(
      folder: try CheckpointFolder(existing: folder.url),
      identity: RunIdentity(kind: "test", configuration: "", seed: 1, fingerprints: [:]))
    optimizer = AdamW(
      AdamWConfiguration(), parameters: [NamedParameter(name: "value", parameter: parameter)])
  }

  private func saving(every: Int = 1, keep: Int = 2) throws -> CheckpointSaving {
    var configuration = CheckpointConfiguration()
    (configuration.every, configuration.keep) = (every, keep)
    return CheckpointSaving(
      checkpoints, configuration, lock: try checkpoints.folder.lock(), step: 0,
      say: { [said] in said.all.append($0) })
  }

  /// An update that moves every number.
  private func train() {
    let gradients = Gradients()
    parameter.setGradient(Tensor(repeating: 1, shape: parameter.shape), in: gradients)
    optimizer.update(gradients, rate: 0.5)
  }

  private func state(_ step: Int) -> TrainingState {
    var state = TrainingState()
    state.step = step
    return state
  }

  private var snapshot: AdamW.Snapshot { get throws { try #require(optimizer.snapshot()) } }

  private func path(_ step: Int) -> String { checkpoints.folder.file(step: step).path }

  private var steps: [Int] {
    get throws { try checkpoints.folder.entries().map(\.step) }
  }

  /// What is trained meanwhile does not get into the file.
  @Test func aCheckpointIsOfItsStep() throws {
    let saving = try saving()
    train()
    let before = (parameter.value.copied(), optimizer.entries[0].secondMoment.copied())
    try saving.save(state(1), snapshot)
    for _ in 0..<5 { train() }
    saving.settle(waiting: true)
    #expect(parameter.value.values != before.0.values)
    let file = try CheckpointFile.open(checkpoints.folder.file(step: 1))
    #expect(try file.read("model/value") == before.0.values)
    #expect(try file.read("optimizer/secondMoment/value") == before.1.values)
    #expect(file.metadata.counters["updates"] == 1)
    #expect(saving.savedStep == 1)
    #expect(said.lines == ["saved \(path(1))"])
    #expect(saving.takeSeconds() > 0 && saving.takeSeconds() == 0)
  }

  /// Each save is there, and told of, before the next begins; the best goes when a better one is there.
  @Test func savesFollowOneAnother() throws {
    let saving = try saving(keep: 1)
    for step in 1...4 {
      var state = state(step)
      state.best = TrainingState.Best(step: step < 4 ? 1 : 4, value: 0)
      #expect(saving.isDue(after: step, isLast: false))
      try saving.save(state, snapshot)
      #expect(!saving.isDue(after: step, isLast: true))
      #expect(saving.savedStep >= step - 1)
      train()
    }
    try saving.saveFinally(state(4), snapshot)
    #expect(said.lines == (1...4).map { "saved \(path($0))" })
    #expect(try steps == [4])
  }

  /// A save that fails is warned of once, and the next one is made all the same.
  @Test func aFailedSaveIsWarnedOfAndTriedAgain() throws {
    let saving = try saving(every: 2)
    for step in [2, 4] {
      try FileManager.default.createDirectory(
        atPath: path(step) + "/full", withIntermediateDirectories: true)
    }
    try saving.save(state(2), snapshot)
    try saving.save(state(4), snapshot)
    saving.settle(waiting: true)
    #expect(saving.savedStep == 0)
    #expect(said.lines.count == 1 && said.lines[0].contains("saving is tried again"))
    #expect(throws: (any Error).self) { try saving.saveFinally(state(4), snapshot) }
    #expect(saving.isDue(after: 6, isLast: false))
    for step in [2, 4] { try FileManager.default.removeItem(atPath: path(step)) }
    try saving.save(state(6), snapshot)
    saving.settle(waiting: true)
    #expect(said.lines.last == "saved \(path(6))")
    #expect(try steps == [6])
    try saving.saveFinally(state(6), snapshot)
  }

  @Test func workIsDoneInPlaceOrBeside() throws {
    struct Failure: Error {}
    for inPlace in [true, false] {
      let failing = BackgroundWork(inPlace: inPlace) { throw Failure() }
      #expect(throws: Failure.self) { try failing.wait() }
      var isDone = false
      let work = BackgroundWork(inPlace: inPlace) { isDone = true }
      #expect(try work.wait() >= 0)
      #expect(isDone && work.isDone && failing.isDone)
    }
  }
}
