import CHDF5
import Foundation

/// How `CheckpointMetadata` lies in the file: scalar datasets in the group `/run`, named as the
/// properties, with one group each for fingerprints and counters.
enum MetadataStorage {
  private static let group = ArrayPath.metadataGroup + "/"
  private static let fingerprintsGroup = group + "fingerprints"
  private static let countersGroup = group + "counters"

  static func write(_ metadata: CheckpointMetadata, to file: inout HDF5WritableFile) throws {
    for key in Array(metadata.fingerprints.keys) + Array(metadata.counters.keys) {
      precondition(ArrayPath.isValidName(key), "metadata key \(key.debugDescription) is not valid")
    }
    try file.writeInteger(group + "formatVersion", CheckpointMetadata.currentFormatVersion)
    try file.writeText(group + "kind", metadata.kind)
    try file.writeInteger(group + "step", metadata.step)
    try file.writeInteger(group + "epoch", metadata.epoch)
    try file.writeInteger(group + "dataPosition", metadata.dataPosition)
    try file.writeScalar(
      group + "seed", metadata.seed, chdf5_memory_uint64(), chdf5_file_uint64())
    try file.writeText(group + "configuration", metadata.configuration)
    if let folder = metadata.workingFolder {
      try file.writeText(group + "workingFolder", folder)
    }
    try file.writeText(group + "createdAt", metadata.createdAt)
    try file.writeText(group + "programVersion", metadata.programVersion)
    try file.makeGroup(fingerprintsGroup)
    for (name, value) in metadata.fingerprints.sorted(by: { $0.key < $1.key }) {
      try file.writeText(fingerprintsGroup + "/" + name, value)
    }
    try file.makeGroup(countersGroup)
    for (name, value) in metadata.counters.sorted(by: { $0.key < $1.key }) {
      try file.writeScalar(
        countersGroup + "/" + name, value, chdf5_memory_double(), chdf5_file_double())
    }
  }

  static func read(from file: HDF5ReadableFile) throws -> CheckpointMetadata {
    var metadata = CheckpointMetadata(
      kind: try file.text(group + "kind"),
      step: try file.integer(group + "step"),
      epoch: try file.integer(group + "epoch"),
      dataPosition: try file.integer(group + "dataPosition"),
      seed: try file.scalar(
        group + "seed", UInt64(0), chdf5_memory_uint64(), chdf5_file_uint64()),
      configuration: try file.text(group + "configuration"),
      programVersion: try file.text(group + "programVersion"))
    if try file.datasetPaths(under: ArrayPath.metadataGroup).contains(group + "workingFolder") {
      metadata.workingFolder = try file.text(group + "workingFolder")
    }
    metadata.fingerprints = try file.values(in: fingerprintsGroup) { try file.text($0) }
    metadata.counters = try file.values(in: countersGroup) {
      try file.scalar($0, 0.0, chdf5_memory_double(), chdf5_file_double())
    }
    metadata.createdAt = try file.text(group + "createdAt")
    metadata.formatVersion = try file.integer(group + "formatVersion")
    for (name, value) in [
      ("step", metadata.step), ("epoch", metadata.epoch), ("dataPosition", metadata.dataPosition),
    ] where !(0...Int(Int32.max)).contains(value) {
      throw CheckpointError.wrongLayout(
        file.url, path: group + name, expected: "a number from 0 to \(Int32.max)",
        found: "\(value)")
    }
    return metadata
  }

  /// Bytes that the metadata may take in the file, for the question whether there is room.
  static func estimatedSize(_ metadata: CheckpointMetadata) -> Int {
    let texts =
      [
        metadata.kind, metadata.configuration, metadata.workingFolder ?? "", metadata.createdAt,
        metadata.programVersion,
      ]
      + metadata.fingerprints.flatMap { [$0.key, $0.value] } + Array(metadata.counters.keys)
    let objects = 16 + metadata.fingerprints.count + metadata.counters.count
    return texts.reduce(0) { $0 + $1.utf8.count } + objects * CheckpointWriter.objectOverhead
  }
}

extension HDF5WritableFile {
  fileprivate mutating func writeScalar<Value: BitwiseCopyable>(
    _ path: String, _ value: Value, _ memoryType: hid_t, _ fileType: hid_t
  ) throws {
    try withUnsafePointer(to: value) { pointer in
      try writeDataset(
        path, shape: [], memoryType: memoryType, fileType: fileType, bytes: pointer)
    }
  }

  fileprivate mutating func writeInteger(_ path: String, _ value: Int) throws {
    try writeScalar(path, Int64(value), chdf5_memory_int64(), chdf5_file_int64())
  }
}

extension HDF5ReadableFile {
  fileprivate func text(_ path: String) throws -> String { try dataset(path).text() }

  fileprivate func integer(_ path: String) throws -> Int {
    Int(try scalar(path, Int64(0), chdf5_memory_int64(), chdf5_file_int64()))
  }

  fileprivate func scalar<Value: BitwiseCopyable>(
    _ path: String, _ initial: Value, _ memoryType: hid_t, _ fileType: hid_t
  ) throws -> Value {
    let dataset = try dataset(path)
    guard dataset.shape.isEmpty, dataset.isStored(as: fileType) else {
      throw CheckpointError.wrongLayout(
        url, path: path, expected: "one \(Value.self)",
        found: "\(dataset.elementType) of shape \(dataset.shape)")
    }
    var value = initial
    try withUnsafeMutableBytes(of: &value) { bytes in
      try dataset.read(as: memoryType, into: bytes.baseAddress)
    }
    return value
  }

  fileprivate func values<Value>(
    in group: String, _ read: (String) throws -> Value
  ) throws -> [String: Value] {
    var values: [String: Value] = [:]
    for path in try datasetPaths(under: group) {
      let name = String(path.dropFirst(group.count + 1))
      guard ArrayPath.isValidName(name) else {
        throw CheckpointError.wrongLayout(
          url, path: path, expected: "no group in /\(group)", found: "one")
      }
      values[name] = try read(path)
    }
    return values
  }
}
