import Foundation

/// One memory-mapped file of `torch.save` (the zip format, torch's own since 1.6). Opening reads the
/// pickle that names the tensors, without running anything that it asks for, and checks each tensor
/// of the weights against the file, so that reading one afterwards cannot fail but for a wrong name
/// or element type.
///
/// Which tensors are the weights: see `WeightSelection`. Tensors that lie row by row are used where
/// the file is mapped; transposed ones and other strides are copied when they are asked for.
public struct PyTorchFile: WeightFile {
  public let file: MappedFile
  /// This kind of file has no notes.
  public var metadata: [String: String] { [:] }
  private let layouts: [String: TensorLayout]

  /// - Throws: `WeightFileError` where the file cannot be read, breaks the format, or names something
  ///   that no tensor needs.
  public init(_ url: URL) throws {
    try self.init(MappedFile(url))
  }

  init(_ file: MappedFile) throws {
    self.file = file
    layouts = try file.withBytes { bytes in
      let archive = try TorchArchive(bytes, file: file.path)
      var machine = PickleMachine(archive.pickle, file: file.path)
      let outermost = try machine.run()
      let objects = machine.objects
      let weights = try WeightSelection(outermost, in: objects, file: file.path)
      var layouts: [String: TensorLayout] = [:]
      layouts.reserveCapacity(weights.tensors.count)
      for (name, tensor) in weights.tensors {
        layouts[name] = try Self.layout(
          of: tensor, named: name, in: objects, archive, file: file.path)
      }
      return layouts
    }
  }

  private static func layout(
    of tensor: PickledTensor, named name: String, in objects: PickleObjects,
    _ archive: TorchArchive, file: String
  ) throws -> TensorLayout {
    func damaged(_ expected: String, _ found: String) -> WeightFileError {
      .damagedTensor(file: file, tensor: name, expected: expected, found: found)
    }
    guard let elementType = tensor.elementType.elementType else {
      throw WeightFileError.unsupportedElementType(
        file: file, tensor: name, found: tensor.elementType.rawValue)
    }
    let storage = objects.storages[Int(tensor.storage)]
    guard let key = objects.name(storage.key), let range = archive.storages[key] else {
      throw damaged("its storage in the zip file", "none")
    }
    let width = storage.elementType == nil ? 1 : elementType.byteCount
    let (byteCount, overflow) = storage.count.multipliedReportingOverflow(by: width)
    guard !overflow, byteCount == range.count else {
      throw damaged("\(storage.count) elements in storage \(key)", "\(range.count) bytes")
    }
    guard max(tensor.shape.count, tensor.strides.count) <= SafetensorsHeader.maximumRank,
      let shape = objects.integers(tensor.shape), let strides = objects.integers(tensor.strides)
    else { throw damaged("at most \(SafetensorsHeader.maximumRank) dimensions", "others") }
    do {
      return try TensorLayout(
        elementType: elementType, shape: shape, strides: strides, offset: tensor.offset,
        storage: range)
    } catch let problem as TensorLayout.Problem {
      throw damaged(problem.expected, problem.found)
    }
  }

  public var names: [String] { layouts.keys.sorted() }

  public func contains(_ name: String) -> Bool { layouts[name] != nil }

  /// - Throws: `WeightFileError.missingTensor`.
  public func tensor(named name: String) throws -> StoredTensor {
    guard let layout = layouts[name] else {
      throw WeightFileError.missingTensor(file: file.path, tensor: name)
    }
    let bytes: UnsafeRawBufferPointer
    let owner: AnyObject & Sendable
    if let range = layout.contiguousRange {
      bytes = UnsafeRawBufferPointer(rebasing: file.bytes[range])
      owner = file
    } else {
      let gathered = file.withBytes(layout.gathered)
      bytes = UnsafeRawBufferPointer(gathered.bytes)
      owner = gathered
    }
    return StoredTensor(
      name: name, elementType: layout.elementType, shape: layout.shape,
      elementCount: layout.elementCount, bytes: bytes, file: file, owner: owner)
  }
}
