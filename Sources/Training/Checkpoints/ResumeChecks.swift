import Checkpointing
import Files
import Foundation

/// Which checkpoint a run goes on from, and whether it may.
public enum ResumeRequest: Equatable {
  /// A new run.
  case none
  /// The newest sound checkpoint of the output folder.
  case outputFolder
  /// A checkpoint, or a folder whose newest sound one is taken.
  case path(String)

  /// What is gone on from; nil for a new run.
  func path(outputFolder: String) -> String? {
    switch self {
    case .none: nil
    case .outputFolder: outputFolder
    case .path(let path): path
    }
  }
}

extension CheckpointFile {
  /// Opens a checkpoint by the path of a file, or of a folder whose newest sound one is taken.
  /// - Parameter report: Is told of each newer file that was passed over, and why.
  /// - Throws: `CheckpointError`, or `RunError.noCheckpoint`.
  public static func open(
    fileOrFolder path: String, report: (String) -> Void
  ) throws -> CheckpointFile {
    let url = URL(fileURLWithPath: path)
    guard FileSystem.isFolder(path) else { return try open(url) }
    let (file, passedOver) = try CheckpointFolder(existing: url).newestSound()
    for entry in passedOver {
      report("passed over \(entry.url.lastPathComponent): \(entry.reason.localizedDescription)")
    }
    guard let file else {
      throw RunError.noCheckpoint(
        folder: path,
        passedOver: passedOver.map {
          "\($0.url.lastPathComponent): \($0.reason.localizedDescription)"
        })
    }
    return file
  }

  /// Refuses to go on with a run that is not this one.
  /// - Parameters:
  ///   - differences: What differs in the recipe and may not, in words.
  ///   - allowChangedData: Whether the data's digest may differ.
  func check(
    _ identity: RunIdentity, differences fixed: [String], allowChangedData: Bool
  ) throws {
    var differences = fixed
    var advice = "Choose the configuration that the run was begun with, or begin a new run with "
    advice += "initialise.checkpoint."
    for name in Set(metadata.fingerprints.keys).union(identity.fingerprints.keys).sorted() {
      let (then, now) = (metadata.fingerprints[name], identity.fingerprints[name])
      if then == now || (name == "data" && allowChangedData) { continue }
      differences.append(
        "\(name): the checkpoint was made with \(then ?? "none"), now it is \(now ?? "none")")
      if name == "data" {
        advice += " If the data was changed on purpose: --set resume.allowChangedData=true."
      }
    }
    if !differences.isEmpty {
      throw RunError.differsFromCheckpoint(
        file: url.path, differences: differences, advice: advice)
    }
  }
}

extension CheckpointFile {
  /// Refuses to use a checkpoint with other files than it was trained with.
  /// - Parameters:
  ///   - now: The digests of the files at hand, by name.
  ///   - ignored: Names that do not matter.
  /// - Throws: `RunError.differsFromCheckpoint`.
  func requireSame(
    _ now: [String: String], except ignored: Set<String>, advice: String
  ) throws {
    let names = Set(metadata.fingerprints.keys).union(now.keys).subtracting(ignored)
    let differences = names.sorted().filter { metadata.fingerprints[$0] != now[$0] }.map {
      "\($0): the checkpoint was made with \(metadata.fingerprints[$0] ?? "none"), now it is "
        + (now[$0] ?? "none")
    }
    if !differences.isEmpty {
      throw RunError.differsFromCheckpoint(
        file: url.path, differences: differences, advice: advice)
    }
  }
}
