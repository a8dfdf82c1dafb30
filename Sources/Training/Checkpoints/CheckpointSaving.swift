import Checkpointing
import Foundation

/// Saves the state of a run. A save that the system refuses, for want of room or because the folder was
/// removed, is warned of and tried again while the run goes on: nothing but time is lost meanwhile.
final class CheckpointSaving {
  private let checkpoints: TrainingCheckpoints
  private let configuration: CheckpointConfiguration
  private let optimizer: AdamW
  private let say: (String) -> Void
  private var lock: FolderLock
  private(set) var savedStep: Int
  private var savedAt = ContinuousClock.now
  /// The first failure since the last save, and when saving was last tried.
  private var failed: (error: CheckpointError, at: ContinuousClock.Instant)?

  /// How long a failed save waits.
  static let pause = Duration.seconds(30)

  /// - Parameters:
  ///   - lock: The run's hold on the folder.
  ///   - step: The step that is saved already.
  init(
    _ checkpoints: TrainingCheckpoints, _ configuration: CheckpointConfiguration,
    _ optimizer: AdamW, lock: FolderLock, step: Int, say: @escaping (String) -> Void
  ) {
    self.checkpoints = checkpoints
    self.configuration = configuration
    self.optimizer = optimizer
    self.lock = lock
    self.say = say
    savedStep = step
  }

  /// - Parameter isLast: Whether no step follows.
  func isDue(after step: Int, isLast: Bool) -> Bool {
    if savedStep == step { return false }
    if isLast { return true }
    if let failed, ContinuousClock.now - failed.at >= CheckpointSaving.pause { return true }
    let every = configuration.every
    if every > 0 && step % every == 0 { return true }
    guard let minutes = configuration.everyMinutes else { return false }
    // A failed save's own pause is the shorter one.
    return failed == nil && ContinuousClock.now - savedAt >= .seconds(minutes * 60)
  }

  /// Saves, or warns and leaves it for later.
  /// - Throws: What no later try would mend: another run has the folder.
  func save(_ state: TrainingState) throws {
    do {
      try write(state)
    } catch let error as CheckpointError {
      if case .folderLocked = error { throw error }
      if failed == nil {
        say("warning: \(error); the run goes on, and saving is tried again")
      }
      failed = (failed?.error ?? error, .now)
    }
  }

  /// Saves at the end of a run, where there is no later.
  /// - Throws: The first error of those that kept the state from being saved.
  func saveFinally(_ state: TrainingState) throws {
    if savedStep == state.step { return }
    do { try write(state) } catch { throw failed?.error ?? error }
  }

  private func write(_ state: TrainingState) throws {
    if !lock.isInPlace {
      let folder = try CheckpointFolder(creating: checkpoints.folder.url)
      lock = try folder.lock()
      say("warning: \(folder.url.path) was removed or replaced: it is made again")
    }
    let url = try checkpoints.save(state, optimizer)
    savedStep = state.step
    savedAt = .now
    failed = nil
    say("saved \(url.path)")
    do {
      try checkpoints.prune(state, keep: configuration.keep)
    } catch {
      say("warning: an earlier checkpoint stays: \(error)")
    }
  }
}
