import Files
import Foundation

/// One memory-mapped file of `torch.save` (the zip format, torch's own since 1.6). Opening reads the
/// pickle that names the tensors, without running anything that it asks for, and checks each tensor
/// of the weights against the file, so that reading one afterwards cannot fail but for a wrong name
/// or an element type that is not read.
///
/// Which tensors are the weights: see `WeightSelection`. Tensors that lie row by row are used where
/// the file is mapped; transposed ones and other strides are copied when they are asked for.
public struct PyTorchFile: WeightFile {
  public let file: MappedFile
  /// This kind of file has no notes.
  public var metadata: [String: String] { [:] }
  private let layouts: [String: TensorLayout]
  /// Tensors of types that are not read, which need not keep others from being read.
  private let unreadTypes: [String: TorchElementType]

  /// - Throws: `WeightFileError` where the file cannot be read, breaks the format, or names something
  ///   that no tensor needs.
  public init(_ url: URL) throws {
    try self.init(MappedFile(url.path))
  }

  init(_ file: MappedFile) throws {
    self.file = file
    (layouts, unreadTypes) = try file.withBytes { bytes in
      let archive = try TorchArchive(bytes, file: file.path)
      var machine = PickleMachine(archive.pickle, file: file.path)
      let outermost = try machine.run()
      let objects = machine.objects
      let weights = try WeightSelection(outermost, in: objects, file: file.path)
      var layouts: [String: TensorLayout] = [:]
      var unreadTypes: [String: TorchElementType] = [:]
      var budget = LayoutBudget(file)
      layouts.reserveCapacity(weights.tensors.count)
      // In order, so that a file is always refused for the same tensor.
      for (name, tensor) in weights.tensors.sorted(by: { $0.key < $1.key }) {
        guard let type = tensor.elementType.elementType else {
          unreadTypes[name] = tensor.elementType
          continue
        }
        let layout = try Self.layout(
          of: tensor, type, named: name, in: objects, archive, file: file.path)
        try budget.add(layout, named: name)
        layouts[name] = layout
      }
      return (layouts, unreadTypes)
    }
  }

  private static func layout(
    of tensor: PickledTensor, _ elementType: ElementType, named name: String,
    in objects: PickleObjects, _ archive: TorchArchive, file: String
  ) throws -> TensorLayout {
    func damaged(_ expected: String, _ found: String) -> WeightFileError {
      .damagedTensor(file: file, tensor: name, expected: expected, found: found)
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

  public var names: [String] { (Array(layouts.keys) + unreadTypes.keys).sorted() }

  public func contains(_ name: String) -> Bool {
    layouts[name] != nil || unreadTypes[name] != nil
  }

  public func shape(of name: String) throws -> [Int] { try layout(named: name).shape }

  private func layout(named name: String) throws -> TensorLayout {
    if let layout = layouts[name] { return layout }
    if let type = unreadTypes[name] {
      throw WeightFileError.unsupportedElementType(
        file: file.path, tensor: name, found: type.rawValue)
    }
    throw WeightFileError.missingTensor(file: file.path, tensor: name)
  }

  /// - Throws: `WeightFileError.missingTensor` or `.unsupportedElementType`.
  public func tensor(named name: String) throws -> StoredTensor {
    let layout = try layout(named: name)
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
      name: name, form: .elements(layout.elementType), shape: layout.shape,
      elementCount: layout.elementCount, bytes: bytes, file: file, owner: owner)
  }
}
