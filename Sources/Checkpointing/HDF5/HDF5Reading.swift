import CHDF5
import Files
import Foundation

/// An HDF5 file being read. All members are called inside `HDF5Library.locked`.
///
/// Only hard links are followed: soft and external ones could lead out of the file.
final class HDF5ReadableFile {
  private let file: HDF5Handle
  let url: URL
  private let length: UInt64

  /// - Parameter length: the file's, in bytes: no stored size is believed beyond it.
  init(opening url: URL, length: UInt64) throws {
    let access = try HDF5Library.fileAccess(url)
    file = try HDF5Handle(
      H5Fopen(url.path, chdf5_open_read_only(), access.identifier), closedBy: H5Fclose,
      "open the file", url)
    self.url = url
    self.length = length
  }

  /// Bounds that no file of this program comes near, against groups that hold themselves.
  private static let greatestDepth = 32
  private static let greatestObjectCount = 1 << 17

  /// The paths of all datasets in the group `path`, "" for the root, and in those below it.
  func datasetPaths(under path: String = "") throws -> [String] {
    var found: [String] = []
    var visitedCount = 0
    var groups = [(path: path, depth: 0)]
    while let group = groups.popLast() {
      for name in try hardLinks(in: group.path) {
        visitedCount += 1
        guard group.depth < Self.greatestDepth, visitedCount <= Self.greatestObjectCount else {
          throw CheckpointError.wrongLayout(
            url, path: group.path,
            expected: "groups at most \(Self.greatestDepth) deep and "
              + "\(Self.greatestObjectCount) objects", found: "more")
        }
        let child = group.path.isEmpty ? name : group.path + "/" + name
        let object = try HDF5Handle(
          H5Oopen(file.identifier, child, chdf5_default()), closedBy: H5Oclose, "open /\(child)",
          url)
        switch H5Iget_type(object.identifier) {
        case H5I_DATASET: found.append(child)
        case H5I_GROUP: groups.append((child, group.depth + 1))
        default: break
        }
      }
    }
    return found
  }

  /// Opens the dataset `path`.
  func dataset(_ path: String) throws -> HDF5ReadableDataset {
    let dataset = try HDF5Handle(
      H5Dopen2(file.identifier, path, chdf5_default()), closedBy: H5Dclose, "open /\(path)", url)
    return try HDF5ReadableDataset(dataset, path: path, file: url, fileLength: length)
  }

  private func hardLinks(in path: String) throws -> [String] {
    let group = try HDF5Handle(
      H5Gopen2(file.identifier, "/" + path, chdf5_default()), closedBy: H5Gclose,
      "open group /\(path)", url)
    var names: [String] = []
    let result = withUnsafeMutablePointer(to: &names) { names in
      chdf5_visit_hard_links(
        group.identifier,
        { names, name in
          guard let names, let name else { return }
          names.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
        }, names)
    }
    try HDF5Library.check(result, "list group /\(path)", url)
    return names
  }
}

/// An open dataset. All members are called inside `HDF5Library.locked`.
final class HDF5ReadableDataset {
  /// The lengths of the axes; empty for a scalar.
  let shape: [Int]
  private let dataset: HDF5Handle
  private let type: HDF5Handle
  private let path: String
  private let file: URL

  /// - Throws: `CheckpointError.wrongLayout` unless the values lie in one piece within the file.
  init(_ dataset: consuming HDF5Handle, path: String, file: URL, fileLength: UInt64) throws {
    let type = try HDF5Handle(
      H5Dget_type(dataset.identifier), closedBy: H5Tclose, "examine /\(path)", file)
    let shape = try Self.shape(of: dataset, path: path, file: file)
    let stored = H5Dget_storage_size(dataset.identifier)
    guard let byteCount = (shape + [H5Tget_size(type.identifier)]).countableProduct,
      UInt64(byteCount) == stored, stored <= fileLength
    else {
      throw CheckpointError.wrongLayout(
        file, path: path, expected: "\(shape) elements stored in one piece",
        found: "\(stored) bytes")
    }
    try Self.checkContiguous(dataset, path: path, file: file)
    self.shape = shape
    self.dataset = dataset
    self.type = type
    self.path = path
    self.file = file
  }

  /// "float32" and the like.
  var elementType: String {
    let size = 8 * H5Tget_size(type.identifier)
    if isStored(as: chdf5_file_float()) { return CheckpointArrayDescription.readableElementType }
    switch H5Tget_class(type.identifier) {
    case H5T_FLOAT: return "another float\(size)"
    case H5T_INTEGER:
      return (H5Tget_sign(type.identifier) == H5T_SGN_NONE ? "uint" : "int") + "\(size)"
    case H5T_STRING: return "text"
    default: return "another type of \(size) bits"
    }
  }

  func isStored(as fileType: hid_t) -> Bool { H5Tequal(type.identifier, fileType) > 0 }

  /// Reads all values into `bytes`, which has room for as many of `memoryType`.
  func read(as memoryType: hid_t, into bytes: UnsafeMutableRawPointer?) throws {
    guard !shape.contains(0) else { return }
    let whole = chdf5_whole_dataspace()
    try HDF5Library.check(
      H5Dread(dataset.identifier, memoryType, whole, whole, chdf5_default(), bytes),
      "read /\(path)", file)
  }

  /// A scalar text of fixed length.
  func text() throws -> String {
    let isText = H5Tget_class(type.identifier) == H5T_STRING
    guard isText, H5Tis_variable_str(type.identifier) == 0, shape.isEmpty else {
      throw CheckpointError.wrongLayout(
        file, path: path, expected: "one text of fixed length",
        found: "\(elementType) of shape \(shape)")
    }
    // Not longer than the file, as the stored size was held against that.
    let size = H5Tget_size(type.identifier)
    let bytes = try [UInt8](unsafeUninitializedCapacity: size) { buffer, initializedCount in
      try read(as: type.identifier, into: buffer.baseAddress)
      initializedCount = size
    }
    guard bytes.last == 0, let text = String(validating: bytes.dropLast(), as: UTF8.self) else {
      throw CheckpointError.wrongLayout(
        file, path: path, expected: "UTF-8 with an ending zero", found: "other bytes")
    }
    return text
  }

  private static func shape(of dataset: borrowing HDF5Handle, path: String, file: URL) throws
    -> [Int]
  {
    let space = try HDF5Handle(
      H5Dget_space(dataset.identifier), closedBy: H5Sclose, "examine /\(path)", file)
    let kind = H5Sget_simple_extent_type(space.identifier)
    guard kind == H5S_SCALAR || kind == H5S_SIMPLE else {
      throw CheckpointError.wrongLayout(
        file, path: path, expected: "an array", found: "an empty dataspace")
    }
    var lengths = [hsize_t](repeating: 0, count: 32)
    let rank = try HDF5Library.check(
      H5Sget_simple_extent_dims(space.identifier, &lengths, nil), "examine /\(path)", file)
    return lengths.prefix(Int(rank)).map { Int(clamping: $0) }
  }

  private static func checkContiguous(
    _ dataset: borrowing HDF5Handle, path: String, file: URL
  ) throws {
    let properties = try HDF5Handle(
      H5Dget_create_plist(dataset.identifier), closedBy: H5Pclose, "examine /\(path)", file)
    // An external file list would make HDF5 read other files.
    guard H5Pget_layout(properties.identifier) == H5D_CONTIGUOUS,
      H5Pget_external_count(properties.identifier) == 0
    else {
      throw CheckpointError.wrongLayout(
        file, path: path, expected: "contiguous storage in the file", found: "another storage")
    }
  }
}
