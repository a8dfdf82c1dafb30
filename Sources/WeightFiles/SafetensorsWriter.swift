import Files
import Foundation

/// Writes safetensors files that any reader of the format takes.
public enum SafetensorsWriter {
  /// How a tensor's elements are stored.
  public enum Precision: Sendable {
    case float32
    /// Rounded to nearest; a finite value beyond ±65504 is refused.
    case float16
  }

  /// A tensor to write.
  public struct Tensor: Sendable {
    public let shape: [Int]
    /// The elements, row-major.
    public let values: [Float]
    public let precision: Precision

    /// - Precondition: `values.count` is the product of `shape`.
    public init(shape: [Int], values: [Float], precision: Precision = .float32) {
      precondition(
        values.count == shape.reduce(1, *),
        "\(values.count) values do not fill the shape \(shape)")
      precondition(shape.count <= SafetensorsFile.maximumRank, "too many dimensions: \(shape)")
      self.shape = shape
      self.values = values
      self.precision = precision
    }

    fileprivate var elementType: ElementType { precision == .float32 ? .float32 : .float16 }
  }

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
  /// - Throws: `WeightFileError.unwritable` or `.valueOutOfRange`.
  public static func write(
    _ tensors: [String: Tensor], metadata: [String: String] = [:], to url: URL
  ) throws {
    // Wider elements first keeps every tensor aligned to its element.
    let ordered = tensors.sorted { left, right in
      let widths = (left.value.elementType.byteCount, right.value.elementType.byteCount)
      return widths.0 != widths.1 ? widths.0 > widths.1 : left.key < right.key
    }
    let beginning = try beginning(
      ordered.map { Announcement($0.key, $0.value.elementType, shape: $0.value.shape) },
      metadata: metadata, file: url.path)
    do {
      try AtomicFile.replace(url.path) { output in
        try beginning.withUnsafeBytes { try output.append($0) }
        for (name, tensor) in ordered {
          try tensor.withEncodedBytes(named: name, file: url.path) { try output.append($0) }
        }
      }
    } catch let failure as SystemFailure {
      throw WeightFileError.unwritable(file: url.path, reason: failure.reason)
    }
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

extension SafetensorsWriter.Tensor {
  /// Hands on the elements as they are stored.
  fileprivate func withEncodedBytes(
    named name: String, file: String, _ use: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    switch precision {
    case .float32:
      try values.withUnsafeBytes { try use($0) }
    case .float16:
      let halves = try values.map { value in
        let half = Float16(value)
        guard half.isFinite || !value.isFinite else {
          throw WeightFileError.valueOutOfRange(
            file: file, tensor: name, value: value, elementType: .float16)
        }
        return half
      }
      try halves.withUnsafeBytes { try use($0) }
    }
  }
}
