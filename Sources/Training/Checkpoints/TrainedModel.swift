import Checkpointing
import Files
import Foundation
import Layers

/// What was trained, to be used or to be begun from: a checkpoint of a run, or a public model.
public protocol TrainedModel {
  /// The file or the folder.
  var url: URL { get }
  /// What it is, with the recipe that it is used by.
  var metadata: CheckpointMetadata { get }
  /// Its arrays, under the names that its own format has for them.
  var arrays: [CheckpointArrayDescription] { get }
  /// The parameters that it holds, by our names.
  var parameterNames: [String] { get }

  /// Digests of the files that it was trained with, as far as it knows them.
  /// - Parameter configuration: How these are read.
  func fingerprints(usedBy configuration: some RecipeConfiguration) throws -> [String: String]

  /// Gives parameters its values.
  /// - Throws: `CheckpointError` or an error of its own, naming the parameter and both shapes where they
  ///   differ.
  func load(into parameters: [NamedParameter]) throws
}

extension CheckpointFile: TrainedModel {
  public func fingerprints(
    usedBy configuration: some RecipeConfiguration
  ) -> [String: String] { metadata.fingerprints }
}

extension TrainedModel {
  /// Puts the values that it holds into parameters; the others keep theirs.
  package func loadWhatIsThere(into parameters: [NamedParameter]) throws -> LoadReport {
    let stored = Set(parameterNames)
    try load(into: parameters.filter { stored.contains($0.name) })
    return .init(
      missing: parameters.map(\.name).filter { !stored.contains($0) },
      unused: stored.subtracting(parameters.map(\.name)).sorted())
  }

  /// Refuses to use it with other files than it was trained with.
  /// - Parameters:
  ///   - configuration: What it is used by.
  ///   - now: The digests of the files at hand, by name.
  /// - Throws: `RunError.differsFromCheckpoint`.
  package func requireFiles(
    _ now: [String: String], usedBy configuration: some RecipeConfiguration, advice: String
  ) throws {
    let then = try fingerprints(usedBy: configuration)
    // A public model knows what lies in it, and nothing of other files.
    let unknown =
      then[PublicModelPath.fingerprint] == nil ? [] : Set(now.keys).subtracting(then.keys)
    try requireSame(
      then, now, except: unknown.union(["data", PublicModelPath.fingerprint]), advice: advice)
  }

  /// - Parameters:
  ///   - then: The digests of what it was trained with, by name.
  ///   - now: Those of the files at hand.
  ///   - ignored: Names that do not matter.
  ///   - further: What differs beside files, in words.
  /// - Throws: `RunError.differsFromCheckpoint`.
  func requireSame(
    _ then: [String: String], _ now: [String: String], except ignored: Set<String>,
    beside further: [String] = [], advice: String
  ) throws {
    let names = Set(then.keys).union(now.keys).subtracting(ignored).sorted()
    let differences =
      further
      + names.filter { then[$0] != now[$0] }.map {
        "\($0): the checkpoint was made with \(then[$0] ?? "none"), now it is \(now[$0] ?? "none")"
      }
    if !differences.isEmpty {
      throw RunError.differsFromCheckpoint(
        file: url.path, differences: differences, advice: advice)
    }
  }
}

/// Where a public model lies, in place of a checkpoint.
public enum PublicModelPath {
  /// The name of a public model's digest, in what is imported of it too.
  public static let fingerprint = "source"

  /// Whether a path leads to a file of weights, or to a folder with some or with a model's `config.json`;
  /// what they are of is seen when they are opened.
  public static func leadsToModel(_ path: String) -> Bool {
    guard FileSystem.isFolder(path) else { return FileKind.ofFile(path)?.isWeights == true }
    let names = (try? FileSystem.names(in: path)) ?? []
    let endings: Set = ["safetensors", "bin", "pth", "pt"]
    return names.contains { $0 == "config.json" || endings.contains(FilePath.ending(of: $0)) }
  }
}
