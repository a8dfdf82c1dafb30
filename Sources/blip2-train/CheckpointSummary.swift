import Checkpointing
import Foundation
import Recipes
import Reporting
import Training

/// What `inspect` shows of a checkpoint or a public model.
struct CheckpointSummary: Encodable {
  struct StoredArray: Encodable {
    let path: String
    let shape: [Int]
    let elementType: String
    let values: Int
    /// Nil for a type that its checkpoints do not have.
    let bytes: Int?

    init(_ description: CheckpointArrayDescription) {
      path = description.path
      shape = description.shape
      elementType = description.elementType
      // The file's length bounds the product: `CheckpointFile` held the two against each other.
      values = description.shape.reduce(1, *)
      bytes = elementType == "float32" ? values * MemoryLayout<Float>.size : nil
    }
  }

  /// Arrays whose names begin alike.
  struct Group: Encodable {
    let name: String
    var arrays = 0
    var values = 0
    var bytes: Int? = 0

    mutating func add(_ array: StoredArray) {
      arrays += 1
      values += array.values
      bytes = bytes.flatMap { sum in array.bytes.map { sum + $0 } }
    }
  }

  let file: String
  let fileSize: Int?
  let kind: String
  let step: Int
  let epoch: Int
  let dataPosition: Int
  let seed: UInt64
  let formatVersion: Int
  let programVersion: String
  let createdAt: String
  /// Of a public model: what it is and what lies in it, and what nothing takes.
  let publicModel: [String: String]?
  let leftOver: [String]?
  let fingerprints: [String: String]
  let counters: [String: Double]
  let groups: [Group]
  let total: Group
  /// Only where asked for.
  let arrays: [StoredArray]?
  let configuration: String?

  init(of file: any TrainedModel, listsArrays: Bool, includesConfiguration: Bool) {
    let metadata = file.metadata
    let publicModel = file as? PublicCheckpoint
    self.publicModel = publicModel.map {
      Dictionary(uniqueKeysWithValues: $0.summary.map { ($0.name, $0.text) })
    }
    leftOver = publicModel?.leftOverLines
    let arrays = file.arrays.map(StoredArray.init)
    self.file = file.url.path
    fileSize = (try? file.url.resourceValues(forKeys: [.fileSizeKey]))?.fileSize
    kind = metadata.kind
    step = metadata.step
    epoch = metadata.epoch
    dataPosition = metadata.dataPosition
    seed = metadata.seed
    formatVersion = metadata.formatVersion
    programVersion = metadata.programVersion
    createdAt = metadata.createdAt
    fingerprints = metadata.fingerprints
    counters = metadata.counters
    groups = Self.groups(of: arrays)
    total = arrays.reduce(into: Group(name: "total")) { $0.add($1) }
    self.arrays = listsArrays ? arrays : nil
    configuration = includesConfiguration ? metadata.configuration : nil
  }

  /// Arrays grouped by where they lie: `model` or `optimizer` and, of the HDF5 groups below, the
  /// first two; of a public model, by how their names begin.
  private static func groups(of arrays: [StoredArray]) -> [Group] {
    var groups: [String: Group] = [:]
    for array in arrays {
      let parts = array.path.split { $0 == "/" || $0 == "." }
      let name = parts.prefix(min(3, max(1, parts.count - 1))).joined(separator: "/")
      groups[name, default: Group(name: name)].add(array)
    }
    return groups.values.sorted { $0.name < $1.name }
  }
}

extension CheckpointSummary {
  /// The summary as tables.
  var text: String {
    var sections = [headText]
    if let leftOver, !leftOver.isEmpty { sections.append(leftOver.joined(separator: "\n")) }
    if !fingerprints.isEmpty {
      sections.append("fingerprints\n" + Self.list(fingerprints, .left))
    }
    if !counters.isEmpty {
      sections.append("counters\n" + Self.list(counters, .right))
    }
    sections.append(groupText)
    if let arrays { sections.append(Self.text(of: arrays)) }
    return sections.joined(separator: "\n\n")
  }

  private var headText: String {
    var table = TextTable(.left, .left)
    table.add("file", file)
    if let fileSize { table.add("size", Quantity.bytes(fileSize)) }
    table.add("kind", kind)
    if let publicModel {
      for (name, text) in publicModel.sorted(by: { $0.key < $1.key }) { table.add(name, text) }
      return table.description
    }
    table.add("step", Quantity.count(step))
    table.add("epoch", Quantity.count(epoch))
    table.add("data position", Quantity.count(dataPosition))
    table.add("seed", "\(seed)")
    table.add("created", createdAt)
    table.add("program version", programVersion)
    table.add("format version", "\(formatVersion)")
    return table.description
  }

  private var groupText: String {
    var table = TextTable(
      .left, .right, .right, .right, header: ["group", "arrays", "values", "bytes"])
    for group in groups + [total] {
      table.add(
        group.name, Quantity.count(group.arrays), Quantity.count(group.values),
        group.bytes.map(Quantity.count) ?? "unknown")
    }
    return table.description
  }

  private static func list(
    _ values: [String: some Any], _ alignment: TextTable.Alignment
  ) -> String {
    var table = TextTable(.left, alignment)
    for (name, value) in values.sorted(by: { $0.key < $1.key }) { table.add(name, "\(value)") }
    return table.indented()
  }

  private static func text(of arrays: [StoredArray]) -> String {
    var table = TextTable(.left, .left, .left, header: ["array", "shape", "type"])
    for array in arrays { table.add(array.path, "\(array.shape)", array.elementType) }
    return table.description
  }
}
