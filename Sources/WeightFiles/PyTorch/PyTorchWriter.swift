import Files
import Foundation

/// Writes files that `torch.load(path, weights_only=True)` reads: the zip format of `torch.save`
/// (https://github.com/pytorch/pytorch/blob/main/torch/serialization.py).
public enum PyTorchWriter {
  /// Creates or replaces the file at `url`; a failure leaves what was there. Tensors lie in the order of their
  /// names, each with a storage of its own, and are asked for their values when their turn comes.
  /// - Parameter key: The key beneath which the dictionary of tensors stands, such as `model`; nil where it
  ///   stands by itself.
  /// - Throws: `WeightFileError.unwritable` or `.valueOutOfRange`, and what the tensors' contents throw.
  public static func write(
    _ tensors: [String: WrittenTensor], beneath key: String? = nil, to url: URL
  ) throws {
    let ordered = tensors.sorted { $0.key < $1.key }
    let pickle = PickleWriter.pickle(of: ordered, beneath: key)
    try WeightFileError.replacing(url.path) { output in
      var archive = ZipWriter(output)
      try archive.add("archive/data.pkl", pickle)
      try archive.add("archive/byteorder", Array("little".utf8))
      for (index, (name, tensor)) in ordered.enumerated() {
        try archive.add("archive/data/\(index)", byteCount: tensor.byteCount) { append in
          try tensor.forEachPiece(named: name, file: url.path, append)
        }
      }
      try archive.add("archive/version", Array("3\n".utf8))
      try archive.finish()
    }
  }
}

/// A pickle of protocol 2 that names tensors as `torch.save` does.
struct PickleWriter {
  private var bytes: [UInt8] = []

  /// - Parameters:
  ///   - tensors: With their names, in the order of their storages.
  ///   - key: See `PyTorchWriter`.
  static func pickle(
    of tensors: [(key: String, value: WrittenTensor)], beneath key: String?
  ) -> [UInt8] {
    var pickle = PickleWriter()
    pickle.add(.protocolVersion)
    pickle.bytes.append(2)
    if let key {
      pickle.add(.emptyDictionary)
      pickle.add(text: key)
    }
    pickle.add(.emptyDictionary)
    for (index, (name, tensor)) in tensors.enumerated() {
      pickle.add(text: name)
      pickle.add(tensor, storage: index)
      pickle.add(.setItem)
    }
    if key != nil { pickle.add(.setItem) }
    pickle.add(.stop)
    return pickle.bytes
  }

  /// `_rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`.
  private mutating func add(_ tensor: WrittenTensor, storage: Int) {
    add(global: "torch._utils", "_rebuild_tensor_v2")
    add(.mark)
    add(.mark)
    add(text: "storage")
    add(global: "torch", tensor.precision.storageClass)
    add(text: "\(storage)")
    add(text: "cpu")
    add(tensor.elementCount)
    add(.tuple)
    add(.persistentIdentifier)
    add(0)
    add(tensor.shape)
    add(tensor.shape.indices.map { tensor.shape[($0 + 1)...].reduce(1, *) })
    add(.newFalse)
    add(global: "collections", "OrderedDict")
    add(.emptyTuple)
    add(.reduce)
    add(.tuple)
    add(.reduce)
  }

  private mutating func add(_ literal: PickleLiteral) { bytes.append(literal.rawValue) }

  private mutating func add(_ opcode: PickleOpcode) { bytes.append(opcode.rawValue) }

  private mutating func add(text: String) {
    add(.text)
    bytes.append(littleEndian: UInt32(text.utf8.count))
    bytes += text.utf8
  }

  private mutating func add(global module: String, _ name: String) {
    add(.global)
    bytes += "\(module)\n\(name)\n".utf8
  }

  private mutating func add(_ integer: Int) {
    add(.long)
    bytes.append(8)
    bytes.append(littleEndian: UInt64(integer))
  }

  private mutating func add(_ integers: [Int]) {
    add(.mark)
    for integer in integers { add(integer) }
    add(.tuple)
  }
}

extension WrittenTensor.Precision {
  /// The name of torch's class of storages.
  fileprivate var storageClass: String {
    switch self {
    case .float32: "FloatStorage"
    case .float16: "HalfStorage"
    case .bfloat16: "BFloat16Storage"
    }
  }
}
