import Checkpointing
import Files
import Foundation
import Reporting

/// Saves the state of a run while training goes on, one save at a time: each is finished, and what is no
/// longer kept is removed, before the next begins. A save that the system refuses, for want of room or
/// because the folder was removed, is warned of and tried again: nothing but time is lost meanwhile.
final class CheckpointSaving {
  private var checkpoints: TrainingCheckpoints
  private let configuration: CheckpointConfiguration
  private let say: (String) -> Void
  private var lock: FolderLock
  private(set) var savedStep: Int
  /// Where the run is saved now.
  var folder: URL { checkpoints.folder.url }
  /// The state that is being written, and what ends when its file is there.
  private var underway: (state: TrainingState, url: URL, writing: BackgroundWork)?
  /// When the last save began.
  private var savedAt = ContinuousClock.now
  /// What the saves took that ended since it was asked for.
  private var seconds = 0.0
  /// Whether training goes on meanwhile. Decided once: memory that the copies took stays with the pool.
  private var isInBackground: Bool?
  /// The first failure since the last save, and when saving was last tried.
  private var failed: (error: any Error, at: ContinuousClock.Instant)?

  /// How long a failed save waits.
  static let pause = Duration.seconds(30)

  /// - Parameters:
  ///   - lock: The run's hold on the folder.
  ///   - step: The step that is saved already.
  init(
    _ checkpoints: TrainingCheckpoints, _ configuration: CheckpointConfiguration,
    lock: FolderLock, step: Int, say: @escaping (String) -> Void
  ) {
    self.checkpoints = checkpoints
    self.configuration = configuration
    self.lock = lock
    self.say = say
    savedStep = step
  }

  /// - Parameter isLast: Whether no step follows.
  func isDue(after step: Int, isLast: Bool) -> Bool {
    if (underway?.state.step ?? savedStep) == step { return false }
    if isLast { return true }
    let every = configuration.every
    if every > 0 && step % every == 0 { return true }
    // By the clock none begins that would have to wait for another.
    guard underway == nil else { return false }
    if let failed { return ContinuousClock.now - failed.at >= CheckpointSaving.pause }
    guard let minutes = configuration.everyMinutes else { return false }
    return ContinuousClock.now - savedAt >= .seconds(minutes * 60)
  }

  /// Begins to save, or warns and leaves it for later.
  /// - Throws: `RunError.notFiniteResult` where there is nothing sound to save.
  func save(_ state: TrainingState, _ snapshot: AdamW.Snapshot) throws {
    settle(waiting: true)
    let isInBackground = isInBackground ?? hasRoomForCopies(of: snapshot)
    self.isInBackground = isInBackground
    do {
      try begin(state, snapshot, inPlace: !isInBackground)
    } catch  where !(error is RunError) {
      note(error)
    }
    settle()
  }

  /// Says what became of the save under way, where it has ended.
  /// - Parameter waiting: Whether its end is waited for.
  func settle(waiting: Bool = false) {
    guard let underway, waiting || underway.writing.isDone else { return }
    do {
      try conclude()
    } catch {
      note(error)
    }
  }

  private func note(_ error: any Error) {
    if failed == nil {
      say("warning: \(error); the run goes on, and saving is tried again")
    }
    failed = (failed?.error ?? error, .now)
  }

  /// The seconds that the saves took which ended since this was last asked.
  func takeSeconds() -> Double {
    defer { seconds = 0 }
    return seconds
  }

  /// Saves at the end of a run, where there is no later: where another run has the folder by now, beside
  /// it.
  /// - Throws: The first error of those that kept the state from being saved.
  func saveFinally(_ state: TrainingState, _ snapshot: AdamW.Snapshot) throws {
    settle(waiting: true)
    if savedStep == state.step { return }
    do {
      try write(state, snapshot)
    } catch let error as ReplacedFolder {
      try moveBeside()
      say("warning: \(error): this run is saved to \(checkpoints.folder.url.path)")
      try write(state, snapshot)
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
  private func refuseUnsound(_ state: TrainingState, _ snapshot: AdamW.Snapshot) throws {
    let unsound = snapshot.entries.first {
      $0.value.hasNonFinite || $0.firstMoment.hasNonFinite || $0.secondMoment.hasNonFinite
    }
    guard let unsound else { return }
    throw RunError.notFiniteResult(
      what: "after step \(state.step) what was trained is", culprit: unsound.name)
  }

  private func write(_ state: TrainingState, _ snapshot: AdamW.Snapshot) throws {
    try begin(state, snapshot, inPlace: true)
    try conclude()
  }

  private func begin(
    _ state: TrainingState, _ snapshot: AdamW.Snapshot, inPlace: Bool
  ) throws {
    try refuseUnsound(state, snapshot)
    if !lock.isInPlace { try takeFolderAgain() }
    let (url, writing) = checkpoints.beginSaving(state, snapshot, inPlace: inPlace)
    underway = (state, url, writing)
    savedAt = .now
  }

  /// Waits for the save under way, says that it is there, and removes what is no longer kept.
  /// - Throws: Why it is not there.
  private func conclude() throws {
    guard let (state, url, writing) = underway else { return }
    underway = nil
    seconds += try writing.wait()
    savedStep = state.step
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

  /// Memory that is left to what else wants some while a checkpoint is written in the background.
  private static let reserve = 256 << 20

  /// Whether weights and moments can be there twice while they are written, with half as much to spare.
  private func hasRoomForCopies(of snapshot: AdamW.Snapshot) -> Bool {
    let copies = snapshot.entries.reduce(0) { $0 + $1.value.count } * 12
    guard let available = Reckoning.Available.now,
      available.bytes < copies / 2 * 3 + CheckpointSaving.reserve
    else { return true }
    say(
      "note: training waits while a checkpoint is written: to go on takes another "
        + "\(Quantity.bytes(copies)) of memory, and \(available.limit) has "
        + "\(Quantity.bytes(available.bytes)) left")
    return false
  }
}

/// The output folder is not the run's any more: it was removed, and something else lies there.
private struct ReplacedFolder: Error, CustomStringConvertible, LocalizedError {
  let path: String
  let reason: String

  var description: String { "\(path) was replaced while the run went on (\(reason))" }
}
