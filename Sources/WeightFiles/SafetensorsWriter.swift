import Foundation

/// Writes safetensors files that any reader of the format takes.
public enum SafetensorsWriter {
  /// A tensor whose bytes will follow, as it is too large to be held at once.
  public struct Announcement: Sendable {
    public let name: String
    public let elementType: ElementType
    public let shape: [Int]

    public init(_ name: String, _ elementType: ElementType, shape: [Int]) {
      self.name = name
      self.elementType = elementType
      self.shape = shape
    }

    /// The bytes of all elements.
    public var byteCount: Int { shape.reduce(elementType.byteCount, *) }
  }

  /// Creates or replaces the file at `url`; a failure leaves what was there.
  ///
  /// - Precondition: no tensor is named `__metadata__`.
  /// - Throws: `WeightFileError.unwritable` or `.valueOutOfRange`, and what the tensors' contents throw.
  public static func write(
    _ tensors: [String: WrittenTensor], metadata: [String: String] = [:], to url: URL
  ) throws {
    // Wider elements first keeps every tensor aligned to its element.
    let ordered = tensors.sorted { left, right in
      let types = (left.value.precision.elementType, right.value.precision.elementType)
      return types.0.byteCount != types.1.byteCount
        ? types.0.byteCount > types.1.byteCount : left.key < right.key
    }
    let beginning = try beginning(
      ordered.map { Announcement($0.key, $0.value.precision.elementType, shape: $0.value.shape) },
      metadata: metadata, file: url.path)
    try WeightFileError.replacing(url.path) { output in
      try beginning.withUnsafeBytes { try output.append($0) }
      for (name, tensor) in ordered {
        try tensor.forEachPiece(named: name, file: url.path) { try output.append($0) }
      }
    }
  }

  /// Writes `model.safetensors`, or where that would be too long its parts `model-00001-of-00002.safetensors` …
  /// with `model.safetensors.index.json`, as transformers names them. Tensors are taken in the order of their
  /// names, and each is asked for its values when its turn comes; the index is written last.
  /// - Parameters:
  ///   - metadata: What each file notes.
  ///   - folder: A folder that is there. What else it holds stays.
  ///   - maximumShardBytes: The most that the tensors of a file take; a longer tensor has a file to itself.
  /// - Returns: The names of the files, in the order in which they were written.
  /// - Throws: As `write(_:metadata:to:)`.
  @discardableResult
  public static func write(
    _ tensors: [String: WrittenTensor], metadata: [String: String] = [:], to folder: URL,
    maximumShardBytes: Int
  ) throws -> [String] {
    let shards = shards(of: tensors, maximumShardBytes: maximumShardBytes)
    guard shards.count > 1 else {
      try write(tensors, metadata: metadata, to: folder.appendingPathComponent("model.safetensors"))
      return ["model.safetensors"]
    }
    var fileNames: [String] = []
    var places: [String: String] = [:]
    for (index, names) in shards.enumerated() {
      let fileName = String(
        format: "model-%05d-of-%05d.safetensors", index + 1, shards.count)
      try write(
        tensors.filter { names.contains($0.key) }, metadata: metadata,
        to: folder.appendingPathComponent(fileName))
      for name in names { places[name] = fileName }
      fileNames.append(fileName)
    }
    let index = try ShardIndex.document(
      fileNames: places, byteCount: tensors.values.reduce(0) { $0 + $1.byteCount })
    let indexName = "model.safetensors.index.json"
    try WeightFileError.replacing(folder.appendingPathComponent(indexName).path) { output in
      try index.withUnsafeBytes { try output.append($0) }
    }
    return fileNames + [indexName]
  }

  /// The names of the tensors that each shard holds.
  private static func shards(
    of tensors: [String: WrittenTensor], maximumShardBytes: Int
  ) -> [Set<String>] {
    var shards: [Set<String>] = []
    var room = 0
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      if shards.isEmpty || tensor.byteCount > room {
        shards.append([])
        room = maximumShardBytes
      }
      shards[shards.count - 1].insert(name)
      room -= tensor.byteCount
    }
    return shards
  }

  /// The beginning of a file, up to the first tensor: the same bytes for the same arguments.
  /// - Parameters:
  ///   - tensors: In the order in which their bytes follow.
  ///   - file: The file's path, for errors.
  /// - Throws: `WeightFileError.unwritable` where it would be longer than the format allows.
  public static func beginning(
    _ tensors: [Announcement], metadata: [String: String] = [:], file: String
  ) throws -> Data {
    var members: [String: HeaderDocument.Member] = [:]
    if !metadata.isEmpty { members[HeaderDocument.metadataKey] = .metadata(metadata) }
    var position = 0
    for tensor in tensors {
      precondition(
        tensor.name != HeaderDocument.metadataKey, "\(tensor.name) is not a tensor's name")
      members[tensor.name] = .tensor(
        HeaderDocument.Entry(
          dtype: tensor.elementType.rawValue, shape: tensor.shape,
          dataOffsets: [position, position + tensor.byteCount]))
      position += tensor.byteCount
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var header = try encoder.encode(members)
    // The format pads with spaces so that the tensors begin at a multiple of 8.
    header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: -header.count & 7))
    guard header.count <= SafetensorsFile.maximumHeaderLength else {
      throw WeightFileError.unwritable(
        file: file, reason: "its header would take \(header.count) bytes, more than the format has")
    }
    return withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header
  }
}
