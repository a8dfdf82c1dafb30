import Foundation

/// Writes safetensors files that any reader of the format takes.
public enum SafetensorsWriter {
  /// How a tensor's elements are stored.
  public enum Precision: Sendable {
    case float32
    /// Rounded to nearest; a finite value beyond ±65504 is refused.
    case float16

    var elementType: ElementType {
      switch self {
      case .float32: .float32
      case .float16: .float16
      }
    }
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
      precondition(shape.count <= SafetensorsHeader.maximumRank, "too many dimensions: \(shape)")
      self.shape = shape
      self.values = values
      self.precision = precision
    }

    var byteCount: Int { values.count * precision.elementType.byteCount }
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
      let widths = (
        left.value.precision.elementType.byteCount, right.value.precision.elementType.byteCount
      )
      return widths.0 != widths.1 ? widths.0 > widths.1 : left.key < right.key
    }
    let header = try encodedHeader(ordered, metadata: metadata, file: url.path)
    try AtomicFile.replace(url) { output in
      var length = UInt64(header.count).littleEndian
      try withUnsafeBytes(of: &length) { try output.append($0) }
      try header.withUnsafeBytes { try output.append($0) }
      for (name, tensor) in ordered {
        try write(tensor, named: name, to: output, file: url.path)
      }
    }
  }

  private static func encodedHeader(
    _ tensors: [(key: String, value: Tensor)], metadata: [String: String], file: String
  ) throws -> Data {
    var entries: [String: HeaderDocument.Entry] = [:]
    var position = 0
    for (name, tensor) in tensors {
      precondition(name != HeaderDocument.metadataKey, "\(name) is not a tensor's name")
      entries[name] = HeaderDocument.Entry(
        dtype: tensor.precision.elementType.rawValue, shape: tensor.shape,
        dataOffsets: [position, position + tensor.byteCount])
      position += tensor.byteCount
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var header = try encoder.encode(HeaderDocument(metadata: metadata, entries: entries))
    // The format pads with spaces so that the tensors begin at a multiple of 8.
    header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: -header.count & 7))
    guard header.count <= SafetensorsHeader.maximumLength else {
      throw WeightFileError.unwritable(
        file: file, reason: "its header would take \(header.count) bytes, more than the format has")
    }
    return header
  }

  private static func write(
    _ tensor: Tensor, named name: String, to output: AtomicFile.Output, file: String
  ) throws {
    switch tensor.precision {
    case .float32:
      try tensor.values.withUnsafeBytes { try output.append($0) }
    case .float16:
      let halves = try tensor.values.map { value in
        let half = Float16(value)
        guard half.isFinite || !value.isFinite else {
          throw WeightFileError.valueOutOfRange(
            file: file, tensor: name, value: value, elementType: .float16)
        }
        return half
      }
      try halves.withUnsafeBytes { try output.append($0) }
    }
  }
}
