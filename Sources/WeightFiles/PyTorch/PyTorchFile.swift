import Files
import Foundation

/// One memory-mapped file of `torch.save` (the zip format, torch's own since 1.6). Opening reads the
/// pickle that names the tensors, without running anything that it asks for.
///
/// Which tensors are the weights: see `WeightSelection`. Tensors that lie row by row are used where
/// the file is mapped; transposed ones and other strides are copied when they are asked for.
public struct PyTorchFile: WeightFile {
  public let file: MappedFile
  /// This kind of file has no notes.
  public var metadata: [String: String] { [:] }
  public let tensors: [String: TensorEntry]

  /// - Throws: `WeightFileError` where the file breaks the format, or names something that no tensor
  ///   needs.
  public init(_ file: MappedFile) throws {
    self.file = file
    tensors = try file.decoded { bytes in
      let archive = try TorchArchive(bytes)
      var machine = PickleMachine(archive.pickle)
      let outermost = try machine.run()
      var selection = WeightSelection(machine.objects)
      let weights = try selection.tensors(within: outermost)
      var tensors: [String: TensorEntry] = [:]
      var budget = LayoutBudget(fileSize: bytes.count)
      tensors.reserveCapacity(weights.count)
      // In order, so that a file is always refused for the same tensor.
      for (name, tensor) in weights.sorted(by: { $0.key < $1.key }) {
        guard let type = tensor.elementType.elementType else {
          tensors[name] = .unread(type: tensor.elementType.rawValue)
          continue
        }
        let layout = try Self.layout(of: tensor, type, named: name, in: machine.objects, archive)
        try budget.add(layout, named: name)
        tensors[name] = layout.entry
      }
      return tensors
    }
  }

  private static func layout(
    of tensor: PickledTensor, _ elementType: ElementType, named name: String,
    in objects: PickleObjects, _ archive: TorchArchive
  ) throws -> TensorLayout {
    let storage = objects.storages[Int(tensor.storage)]
    guard let key = objects.name(storage.key), let range = archive.storages[key] else {
      throw damaged(tensor: name, "its storage in the zip file", "none")
    }
    let width = storage.elementType == nil ? 1 : elementType.byteCount
    guard [storage.count, width].countableProduct == range.count else {
      throw damaged(
        tensor: name, "\(storage.count) elements in storage \(key)", "\(range.count) bytes")
    }
    guard max(tensor.shape.count, tensor.strides.count) <= SafetensorsFile.maximumRank,
      let shape = objects.integers(tensor.shape), let strides = objects.integers(tensor.strides)
    else {
      throw damaged(
        tensor: name, "at most \(SafetensorsFile.maximumRank) dimensions", "others")
    }
    return try TensorLayout(
      name, elementType: elementType, shape: shape, strides: strides, offset: tensor.offset,
      storage: range)
  }
}
