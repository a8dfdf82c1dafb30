import Tensors

/// A tensor to write, whose values are asked for when its turn comes.
public struct WrittenTensor {
  /// How a tensor's elements are stored: rounded to nearest, ties to even.
  public enum Precision: Sendable, CaseIterable {
    case float32
    /// A finite value beyond ±65504 is refused.
    case float16
    /// A finite value that would become infinite is refused.
    case bfloat16

    var elementType: ElementType {
      switch self {
      case .float32: .float32
      case .float16: .float16
      case .bfloat16: .bfloat16
      }
    }

    /// The least magnitude that rounds to infinity: half a step above the largest finite number.
    fileprivate var bound: Float {
      switch self {
      case .float32: .infinity
      case .float16: 65520
      case .bfloat16: Float(bitPattern: 0x7F7F_8000)
      }
    }
  }

  /// The extents; `[]` for a scalar.
  public let shape: [Int]
  public let precision: Precision
  private let contents: () throws -> Tensor

  /// - Parameter contents: The elements, as many as `shape` has, in whatever shape. It is called each time
  ///   that the tensor is written.
  public init(
    shape: [Int], precision: Precision = .float32, contents: @escaping () throws -> Tensor
  ) {
    precondition(shape.count <= SafetensorsFile.maximumRank, "too many dimensions: \(shape)")
    self.shape = shape
    self.precision = precision
    self.contents = contents
  }

  /// - Parameter values: The elements, row-major.
  /// - Precondition: `values.count` is the product of `shape`.
  public init(shape: [Int], values: [Float], precision: Precision = .float32) {
    let tensor = Tensor(values, shape: shape)
    self.init(shape: shape, precision: precision) { tensor }
  }

  /// The product of `shape`.
  var elementCount: Int { shape.reduce(1, *) }

  /// The bytes of all elements as they are stored.
  public var byteCount: Int { elementCount * precision.elementType.byteCount }

  /// The elements, row-major.
  /// - Throws: What `contents` throws.
  public var values: [Float] { get throws { try tensor().values } }

  private func tensor() throws -> Tensor {
    let tensor = try contents()
    precondition(
      tensor.count == elementCount, "a tensor \(tensor.shape) for the shape \(shape)")
    return tensor
  }

  /// How many elements are converted at once.
  private static let pieceCount = 1 << 20

  /// Hands on the bytes of the elements as they are stored, in pieces.
  /// - Parameter file: The path of the file being written, for errors.
  /// - Throws: `WeightFileError.valueOutOfRange`, what `contents` throws and what `use` throws.
  func forEachPiece(
    named name: String, file: String, _ use: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let tensor = try tensor()
    try tensor.read { values in
      for start in stride(from: 0, to: tensor.count, by: Self.pieceCount) {
        let piece = UnsafeBufferPointer(
          start: values + start, count: min(Self.pieceCount, tensor.count - start))
        if let value = piece.first(where: { $0.isFinite && abs($0) >= precision.bound }) {
          throw WeightFileError.valueOutOfRange(
            file: file, tensor: name, value: value, elementType: precision.elementType)
        }
        switch precision {
        case .float32: try use(UnsafeRawBufferPointer(piece))
        case .float16: try piece.map { Float16($0) }.withUnsafeBytes(use)
        // Rounding would carry some NaNs over into the sign.
        case .bfloat16: try piece.map { BFloat16($0.isNaN ? .nan : $0) }.withUnsafeBytes(use)
        }
      }
    }
  }
}
