import Foundation

/// What a checkpoint knows beside its arrays: everything needed to go on where the run stopped.
///
/// All random draws are functions of a seed and a counter, so that `seed`, `step` and
/// `dataPosition` are the whole random state.
public struct CheckpointMetadata: Equatable, Sendable {
  /// The version of the file layout that this program writes, and the newest that it reads.
  public static let currentFormatVersion = 1

  /// The layout version of the file; see `Checkpoints/README.md`.
  public internal(set) var formatVersion = currentFormatVersion
  /// What was trained, such as `stage1`.
  public var kind: String
  /// Optimiser steps taken.
  public var step: Int
  /// Passes over the data that are complete.
  public var epoch: Int
  /// Samples taken in the pass under way.
  public var dataPosition: Int
  /// The seed of all random draws.
  public var seed: UInt64
  /// The resolved configuration, YAML.
  public var configuration: String
  /// The folder from which the configuration's relative paths count; nil in files of earlier versions.
  public var workingFolder: String?
  /// Digests of what the run depends on but does not store, such as `vision` or `data`. No
  /// key is empty or holds a slash.
  public var fingerprints: [String: String] = [:]
  /// Further numbers, such as the best validation value. No key is empty or holds a slash.
  public var counters: [String: Double] = [:]
  /// When the checkpoint was made: ISO 8601, UTC, such as `2024-05-17T08:30:00Z`.
  public var createdAt = Date().formatted(.iso8601)
  /// The version of the program that wrote the file.
  public var programVersion: String

  /// The metadata of a checkpoint to be written, made now.
  public init(
    kind: String, step: Int, epoch: Int, dataPosition: Int, seed: UInt64, configuration: String,
    programVersion: String
  ) {
    self.kind = kind
    self.step = step
    self.epoch = epoch
    self.dataPosition = dataPosition
    self.seed = seed
    self.configuration = configuration
    self.programVersion = programVersion
  }
}
