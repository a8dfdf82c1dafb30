/// A named float32 array to be written to a checkpoint.
///
/// Its values stay where they are until the writer asks for them, one array at a time, so that a
/// checkpoint of several gigabytes costs no second copy in memory.
public struct CheckpointArray {
  /// Receives the values in row-major order.
  public typealias Body = (UnsafeBufferPointer<Float>) throws -> Void

  /// The place in the file, such as `model/qFormer/layers/0/crossAttention/key/weight`: every
  /// slash makes an HDF5 group. No leading slash, no empty component; `run/` is taken.
  public let path: String
  /// The lengths of the axes, outermost first; empty for a single number.
  public let shape: [Int]
  /// Calls its argument exactly once with the values.
  let withValues: (Body) throws -> Void

  /// - Parameter withValues: calls its argument exactly once, with as many values as `shape`
  ///   holds. What it throws ends the writing and reaches the writer's caller.
  /// - Precondition: `path` and `shape` are as described above; at most 32 axes.
  public init(path: String, shape: [Int], withValues: @escaping (Body) throws -> Void) {
    precondition(ArrayPath.isValid(path), "array path \(path.debugDescription) is not valid")
    precondition(shape.count <= 32, "array \(path): \(shape.count) axes, at most 32 are possible")
    precondition(shape.allSatisfy { $0 >= 0 }, "array \(path): negative length in \(shape)")
    self.path = path
    self.shape = shape
    self.withValues = withValues
  }

  /// An array whose values are at hand.
  /// - Precondition: `values` has as many elements as `shape` says.
  public init(path: String, shape: [Int], values: [Float]) {
    self.init(path: path, shape: shape) { body in try values.withUnsafeBufferPointer(body) }
  }

  var elementCount: Int { shape.reduce(1, *) }
}

/// An array found in a checkpoint.
public struct CheckpointArrayDescription: Equatable, Sendable {
  /// The place in the file, without a leading slash.
  public let path: String
  /// The lengths of the axes, outermost first; empty for a single number.
  public let shape: [Int]
  /// "float32" for all arrays this program writes; otherwise what was found.
  public let elementType: String

  static let readableElementType = "float32"

  public init(path: String, shape: [Int], elementType: String) {
    (self.path, self.shape, self.elementType) = (path, shape, elementType)
  }
}

enum ArrayPath {
  /// Where the metadata lies.
  static let metadataGroup = "run"

  static func isValid(_ path: String) -> Bool {
    let components = path.split(separator: "/", omittingEmptySubsequences: false)
    return components.count >= 2 && components[0] != metadataGroup
      && components.allSatisfy { isValidName(String($0)) }
  }

  /// Whether HDF5 takes `name` as the name of one link, and h5dump shows it as it is.
  static func isValidName(_ name: String) -> Bool {
    !name.isEmpty && name != "." && !name.utf8.contains(UInt8(ascii: "/"))
      && !name.utf8.contains(0) && name.utf8.count <= 1024
  }

  /// "parameter qFormer.layers.0.key.weight" for `model/qFormer/layers/0/key/weight`, and
  /// "array optimizer.firstMoment.…" elsewhere.
  static func displayName(_ path: String) -> String {
    let dotted = path.replacing("/", with: ".")
    return path.hasPrefix("model/")
      ? "parameter " + dotted.dropFirst("model/".count) : "array " + dotted
  }
}
