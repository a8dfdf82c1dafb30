import CHDF5
import Foundation

/// An HDF5 file being written. All members are called inside `HDF5Library.locked`.
struct HDF5WritableFile: ~Copyable {
  private let file: HDF5Handle
  private let url: URL
  private let groupProperties: HDF5Handle
  private let datasetProperties: HDF5Handle
  private var groups: Set<String> = []

  /// Empties the file at `url` and begins an HDF5 file there behind a user block.
  ///
  /// The 1.10 file format checks its own metadata; times are left out, so that equal contents
  /// make equal bytes.
  init(creating url: URL) throws {
    let creation = try Self.timelessProperties(chdf5_class_file_create(), url)
    try HDF5Library.check(
      H5Pset_userblock(creation.identifier, hsize_t(UserBlock.size)), "set the user block", url)
    let access = try HDF5Library.fileAccess(url)
    try HDF5Library.check(
      H5Pset_libver_bounds(access.identifier, H5F_LIBVER_V110, H5F_LIBVER_V110),
      "choose the file format", url)
    let groupProperties = try Self.timelessProperties(chdf5_class_group_create(), url)
    let datasetProperties = try Self.timelessProperties(chdf5_class_dataset_create(), url)
    try HDF5Library.check(
      H5Pset_layout(datasetProperties.identifier, H5D_CONTIGUOUS), "set the layout", url)
    try HDF5Library.check(
      H5Pset_fill_time(datasetProperties.identifier, H5D_FILL_TIME_NEVER), "set filling", url)
    file = try HDF5Handle(
      H5Fcreate(url.path, chdf5_create_truncating(), creation.identifier, access.identifier),
      closedBy: H5Fclose, "create the file", url)
    self.groupProperties = groupProperties
    self.datasetProperties = datasetProperties
    self.url = url
  }

  func flush() throws {
    try HDF5Library.check(H5Fflush(file.identifier, H5F_SCOPE_GLOBAL), "flush", url)
  }

  consuming func close() throws {
    try file.closeChecked("finish the file", url)
  }

  /// Makes the group `path` and those above it, where they do not exist yet.
  mutating func makeGroup(_ path: String) throws {
    guard !path.isEmpty, groups.insert(path).inserted else { return }
    try makeGroup(Self.parent(of: path))
    _ = try HDF5Handle(
      H5Gcreate2(
        file.identifier, path, chdf5_default(), groupProperties.identifier, chdf5_default()),
      closedBy: H5Gclose, "create group /\(path)", url)
  }

  /// Writes a dataset and the groups above it.
  ///
  /// - Parameters:
  ///   - shape: empty for a scalar.
  ///   - memoryType: the type of the values at `bytes`; `fileType`: as stored.
  mutating func writeDataset(
    _ path: String, shape: [Int], memoryType: hid_t, fileType: hid_t,
    bytes: UnsafeRawPointer?
  ) throws {
    try makeGroup(Self.parent(of: path))
    let lengths = shape.map { hsize_t($0) }
    let space = try HDF5Handle(
      lengths.isEmpty
        ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(lengths.count), lengths, nil),
      closedBy: H5Sclose, "describe /\(path)", url)
    let dataset = try HDF5Handle(
      H5Dcreate2(
        file.identifier, path, fileType, space.identifier, chdf5_default(),
        datasetProperties.identifier, chdf5_default()),
      closedBy: H5Dclose, "create /\(path)", url)
    if !shape.contains(0) {
      let whole = chdf5_whole_dataspace()
      try HDF5Library.check(
        H5Dwrite(dataset.identifier, memoryType, whole, whole, chdf5_default(), bytes),
        "write /\(path)", url)
    }
    try dataset.closeChecked("write /\(path)", url)
  }

  /// Writes text as a scalar of fixed length, UTF-8, with an ending zero.
  mutating func writeText(_ path: String, _ text: String) throws {
    try writeTexts(path, [Array(text.utf8)], shape: [])
  }

  /// Writes texts of one fixed length, that of the longest, UTF-8, filled up with zeros.
  mutating func writeTexts(_ path: String, _ texts: [[UInt8]], shape: [Int]) throws {
    let length = (texts.map(\.count).max() ?? 0) + 1
    let bytes = texts.flatMap { $0 + Array(repeating: 0, count: length - $0.count) }
    let type = try HDF5Handle(
      H5Tcopy(chdf5_c_string()), closedBy: H5Tclose, "describe /\(path)", url)
    try HDF5Library.check(H5Tset_size(type.identifier, length), "describe /\(path)", url)
    try HDF5Library.check(H5Tset_cset(type.identifier, H5T_CSET_UTF8), "describe /\(path)", url)
    try bytes.withUnsafeBytes { buffer in
      try writeDataset(
        path, shape: shape, memoryType: type.identifier, fileType: type.identifier,
        bytes: buffer.baseAddress)
    }
  }

  private static func timelessProperties(_ propertyClass: hid_t, _ url: URL) throws -> HDF5Handle {
    let properties = try HDF5Handle(
      H5Pcreate(propertyClass), closedBy: H5Pclose, "make properties", url)
    try HDF5Library.check(
      H5Pset_obj_track_times(properties.identifier, false), "leave times out", url)
    return properties
  }

  private static func parent(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
  }
}
