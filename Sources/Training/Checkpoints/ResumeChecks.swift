import Checkpointing
import Files
import Foundation

/// Which checkpoint a run goes on from, and whether it may.
public enum ResumeRequest: Equatable {
  /// A new run.
  case none
  /// The newest sound checkpoint of the output folder.
  case outputFolder
  /// As `outputFolder` where that holds a checkpoint, sound or not; else a new run.
  case ifThereIsOne
  /// A checkpoint, or a folder whose newest sound one is taken.
  case path(String)

  /// What is gone on from; nil for a new run.
  func path(outputFolder: String) -> String? {
    switch self {
    case .none: nil
    case .outputFolder: outputFolder
    case .ifThereIsOne: ResumeRequest.holdsCheckpoint(outputFolder) ? outputFolder : nil
    case .path(let path): path
    }
  }

  private static func holdsCheckpoint(_ folder: String) -> Bool {
    let folder = try? CheckpointFolder(existing: URL(fileURLWithPath: folder))
    return (try? folder?.entries())?.isEmpty == false
  }
}

extension CheckpointFile {
  /// Opens a checkpoint by the path of a file, or of a folder whose newest sound one is taken; `best` in
  /// a folder is the best by validation.
  /// - Parameters:
  ///   - isResume: Whether a run is to go on from it, which errors advise on.
  ///   - report: Is told of each newer file that was passed over, and why.
  /// - Throws: `CheckpointError`, or `RunError.noCheckpoint`.
  public static func open(
    fileOrFolder path: String, isResume: Bool = false, report: (String) -> Void
  ) throws -> CheckpointFile {
    let url = URL(fileURLWithPath: path)
    if url.lastPathComponent == "best", FileSystem.isAbsent(path) {
      return try best(of: url.deletingLastPathComponent(), report: report)
    }
    guard FileSystem.isFolder(path) else { return try open(url) }
    let (file, passedOver) = try CheckpointFolder(existing: url).newestSound()
    let reasons = passedOver.map(\.reason.localizedDescription)
    for reason in reasons { report("passed over: \(reason)") }
    guard let file else {
      throw RunError.noCheckpoint(folder: path, passedOver: reasons, isResume: isResume)
    }
    return file
  }

  private static func best(
    of folder: URL, report: (String) -> Void
  ) throws -> CheckpointFile {
    let newest = try open(fileOrFolder: folder.path, report: report)
    guard let step = newest.metadata.counters["bestStep"] else {
      throw RunError.noBest(file: newest.url.path)
    }
    if Int(step) == newest.metadata.step { return newest }
    return try open(CheckpointFolder(existing: folder).file(step: Int(step)))
  }

  /// Refuses to go on with a run that is not this one.
  /// - Parameters:
  ///   - differences: What differs in the recipe and may not, in words.
  ///   - allowChangedData: Whether the data's digest may differ.
  func check(
    _ identity: RunIdentity, differences: [String], allowChangedData: Bool
  ) throws {
    var advice = "Choose the configuration that the run was begun with, or begin a new run with "
    advice += "initialise.from."
    if !allowChangedData, metadata.fingerprints["data"] != identity.fingerprints["data"] {
      advice += " If the data was changed on purpose: --set resume.allowChangedData=true."
    }
    try requireSame(
      metadata.fingerprints, identity.fingerprints, except: allowChangedData ? ["data"] : [],
      beside: differences, advice: advice)
  }
}
