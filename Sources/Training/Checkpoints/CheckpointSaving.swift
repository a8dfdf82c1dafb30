import Checkpointing
import Files
import Foundation
import Reporting

/// Saves the state of a run. A save that the system refuses, for want of room or because the folder was
/// removed, is warned of and tried again while the run goes on: nothing but time is lost meanwhile.
final class CheckpointSaving {
  private var checkpoints: TrainingCheckpoints
  private let configuration: CheckpointConfiguration
  private let optimizer: AdamW
  private let say: (String) -> Void
  private var lock: FolderLock
  private(set) var savedStep: Int
  /// Where the run is saved now.
  var folder: URL { checkpoints.folder.url }
  private var savedAt = ContinuousClock.now
  /// The first failure since the last save, and when saving was last tried.
  private var failed: (error: any Error, at: ContinuousClock.Instant)?

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
  /// - Throws: `RunError.notFiniteResult` where there is nothing sound to save.
  func save(_ state: TrainingState) throws {
    do {
      try write(state)
    } catch  where !(error is RunError) {
      if failed == nil {
        say("warning: \(error); the run goes on, and saving is tried again")
      }
      failed = (failed?.error ?? error, .now)
    }
  }

  /// Saves at the end of a run, where there is no later: where another run has the folder by now, beside
  /// it.
  /// - Throws: The first error of those that kept the state from being saved.
  func saveFinally(_ state: TrainingState) throws {
    if savedStep == state.step { return }
    do {
      try write(state)
    } catch let error as ReplacedFolder {
      try moveBeside()
      say("warning: \(error): this run is saved to \(checkpoints.folder.url.path)")
      try write(state)
    } catch {
      throw failed?.error ?? error
    }
  }

  private func moveBeside() throws {
    let path = checkpoints.folder.url.path
    var (beside, number) = (path + ".recovered", 2)
    while FileManager.default.fileExists(atPath: beside) {
      beside = "\(path).recovered-\(number)"
      number += 1
    }
    let folder = try CheckpointFolder(creating: URL(fileURLWithPath: beside, isDirectory: true))
    lock = try folder.lock()
    checkpoints = TrainingCheckpoints(folder: folder, identity: checkpoints.identity)
  }

  /// Makes the folder again where it was removed. One that something else lies in now, another run's
  /// above all, is left alone.
  private func takeFolderAgain() throws {
    let url = checkpoints.folder.url
    do {
      try OutputPath.checkFolder(url.path, isLinkRefused: true) { name in
        [
          ".lock", MetricsLog.fileName, TensorBoardLog.folderName, RunFolder.transcriptName,
        ].contains(name)
      }
      let folder = try CheckpointFolder(creating: url)
      lock = try folder.lock()
    } catch {
      throw ReplacedFolder(path: url.path, reason: "\(error)")
    }
    say("warning: \(url.path) was removed: it is made again")
  }

  /// Refuses to save what is not finite: it would push the last sound checkpoints out.
  private func refuseUnsound(_ state: TrainingState) throws {
    let unsound = optimizer.entries.first {
      $0.parameter.value.hasNonFinite || $0.firstMoment.hasNonFinite
        || $0.secondMoment.hasNonFinite
    }
    guard let unsound else { return }
    throw RunError.notFiniteResult(
      what: "after step \(state.step) what was trained is", culprit: unsound.name)
  }

  private func write(_ state: TrainingState) throws {
    try refuseUnsound(state)
    if !lock.isInPlace { try takeFolderAgain() }
    let url = try checkpoints.save(state, optimizer)
    savedStep = state.step
    savedAt = .now
    failed = nil
    say("saved \(url.path)")
    guard lock.isInPlace else {
      say("warning: the folder of \(url.path) is another run's now: nothing there is removed")
      return
    }
    do {
      try checkpoints.prune(state, keep: configuration.keep)
    } catch {
      say("warning: an earlier checkpoint stays: \(error)")
    }
  }
}

/// The output folder is not the run's any more: it was removed, and something else lies there.
private struct ReplacedFolder: Error, CustomStringConvertible, LocalizedError {
  let path: String
  let reason: String

  var description: String { "\(path) was replaced while the run went on (\(reason))" }
}
