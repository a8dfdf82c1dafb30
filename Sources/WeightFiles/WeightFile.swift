import Files
import Foundation

/// One file of weights, whatever its format. Opening checks everything that the file says of its
/// tensors, so that reading one afterwards cannot fail but for a wrong name or a type that is not read.
public protocol WeightFile: Sendable {
  /// - Throws: `WeightFileError` where the file breaks the format.
  init(_ file: MappedFile) throws

  var file: MappedFile { get }
  /// The file's own notes that are text, such as `format`; empty for formats without.
  var metadata: [String: String] { get }
  /// What opening the file told of its tensors, by name.
  var tensors: [String: TensorEntry] { get }
}

/// A tensor of a file, held against the file's size.
public enum TensorEntry: Sendable {
  /// It lies row by row in a range of the file's bytes.
  case stored(StoredForm, shape: [Int], Range<Int>)
  /// It is put in order when it is asked for.
  case strided(TensorLayout)
  /// Of a type that is not read, which need not keep others from being read; some formats say its shape.
  case unread(type: String, shape: [Int]? = nil)
}

extension WeightFile {
  /// - Throws: `WeightFileError` where the file breaks the format, `ReadFailure` where it cannot be read.
  public init(_ url: URL) throws { try self.init(MappedFile(url.path)) }

  /// The names of all tensors, sorted.
  public var names: [String] { tensors.keys.sorted() }

  public func contains(_ name: String) -> Bool { tensors[name] != nil }

  /// A tensor's shape, without making the tensor.
  /// - Throws: What `tensor(named:)` throws.
  public func shape(of name: String) throws -> [Int] {
    switch try entry(named: name) {
    case .stored(_, let shape, _), .unread(_, let shape?): return shape
    case .strided(let layout): return layout.shape
    case .unread(let type, nil): throw unread(name, type)
    }
  }

  /// - Throws: `WeightFileError.missingTensor` or `.unsupportedElementType`.
  public func tensor(named name: String) throws -> StoredTensor {
    switch try entry(named: name) {
    case .stored(let form, let shape, let range):
      return StoredTensor(
        name: name, form: form, shape: shape,
        bytes: UnsafeRawBufferPointer(rebasing: file.bytes[range]), file: file, owner: file)
    case .strided(let layout):
      let gathered = file.withBytes(layout.gathered)
      return StoredTensor(
        name: name, form: .elements(layout.elementType), shape: layout.shape,
        bytes: UnsafeRawBufferPointer(gathered.bytes), file: file, owner: gathered)
    case .unread(let type, _): throw unread(name, type)
    }
  }

  private func entry(named name: String) throws -> TensorEntry {
    guard let entry = tensors[name] else {
      throw WeightFileError.missingTensor(file: file.path, tensor: name)
    }
    return entry
  }

  private func unread(_ name: String, _ type: String) -> WeightFileError {
    .unsupportedElementType(file: file.path, tensor: name, found: type)
  }
}

/// Which reader a file is for.
enum WeightFileFormat {
  /// Opens a file by what it begins with. Its extension only decides how a file of no known kind is
  /// spoken of.
  ///
  /// - Throws: `WeightFileError`.
  static func open(_ url: URL) throws -> any WeightFile {
    let file = try MappedFile(url.path)
    return try file.decoded { bytes -> any WeightFile in
      if GGUFFile.isGGUF(bytes) { return try GGUFFile(file) }
      if TorchArchive.isZip(bytes) { return try PyTorchFile(file) }
      // A header's text follows its length.
      if bytes.count > 8, bytes[8] == UInt8(ascii: "{") { return try SafetensorsFile(file) }
      if let kind = FileKind(bytes) { throw unsupported(kind.name, remedy: kind.advice) }
      switch url.pathExtension.lowercased() {
      case "bin", "ckpt", "pt", "pth": return try PyTorchFile(file)
      case "gguf": return try GGUFFile(file)
      case "safetensors": return try SafetensorsFile(file)
      default:
        throw unsupported(
          "a file that \(FileKind.words(bytes))",
          remedy: "name the folder of a model, or its file of weights")
      }
    }
  }
}
