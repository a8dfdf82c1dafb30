import CHDF5
import Files
import Foundation
import Testing

@testable import Checkpointing

/// Files that are whole but not laid out as documented: sealed with a digest that fits.
@Suite struct LayoutTests {
  let folder: ScratchFolder
  let url: URL

  init() throws {
    folder = try ScratchFolder()
    url = folder.file("step-00000040.h5")
    try Sample.write(to: url)
  }

  /// Changes the file with HDF5 and seals it again.
  private func change(_ body: (hid_t) -> Void) throws {
    try HDF5Library.locked {
      let access = try HDF5Library.fileAccess(url)
      let file = H5Fopen(url.path, Self.readAndWrite, access.identifier)
      #expect(file >= 0)
      body(file)
      #expect(H5Fclose(file) >= 0)
    }
    let contents = Array(try Data(contentsOf: url).dropFirst(512))
    let block = UserBlock(
      formatVersion: 1, fileLength: UInt64(512 + contents.count),
      contentsDigest: SHA256.hash(contents))
    try Data(block.bytes + contents).write(to: url)
  }

  /// `H5F_ACC_RDWR`, a macro that Swift does not import.
  private static let readAndWrite: UInt32 = 1

  private func makeDataset(
    _ file: hid_t, _ path: String, type: hid_t, lengths: [hsize_t],
    allocation: H5D_alloc_time_t = H5D_ALLOC_TIME_EARLY, chunk: [hsize_t]? = nil
  ) {
    let space = H5Screate_simple(Int32(lengths.count), lengths, nil)
    let properties = H5Pcreate(chdf5_class_dataset_create())
    if let chunk { H5Pset_chunk(properties, Int32(chunk.count), chunk) }
    H5Pset_alloc_time(properties, allocation)
    let dataset = H5Dcreate2(
      file, path, type, space, chdf5_default(), properties, chdf5_default())
    #expect(dataset >= 0)
    H5Dclose(dataset)
    H5Pclose(properties)
    H5Sclose(space)
  }

  @Test func anotherElementTypeIsRefusedWhenRead() throws {
    try change { makeDataset($0, "model/wide", type: chdf5_file_double(), lengths: [3]) }
    let file = try CheckpointFile.open(url)
    #expect(
      throws: CheckpointError.wrongElementType(
        url, path: "model/wide", expected: "float32", found: "another float64")
    ) { try file.read("model/wide") }
    #expect(try file.read("model/temperature") == [0.07])
  }

  @Test func chunkedStorageIsRefused() throws {
    try change {
      makeDataset($0, "model/chunked", type: chdf5_file_float(), lengths: [4], chunk: [2])
    }
    #expect(
      throws: CheckpointError.wrongLayout(
        url, path: "model/chunked", expected: "contiguous storage in the file",
        found: "another storage")
    ) { try CheckpointFile.open(url) }
  }

  /// Claims of 16 TB, and of a size that overflows, in a file of some kilobytes.
  @Test(arguments: [[1 << 42], [1 << 40, 1 << 40]] as [[hsize_t]], [true, false])
  func hugeClaimsAreRefused(lengths: [hsize_t], chunked: Bool) throws {
    // HDF5 makes no contiguous dataset whose size overflows.
    guard chunked || lengths.count == 1 else { return }
    try change {
      makeDataset(
        $0, "model/huge", type: chdf5_file_float(), lengths: lengths,
        allocation: chunked ? H5D_ALLOC_TIME_INCR : H5D_ALLOC_TIME_LATE,
        chunk: chunked ? lengths.map { _ in 1 } : nil)
    }
    guard
      case .wrongLayout(url, "model/huge", _, _) = checkpointError({
        _ = try CheckpointFile.open(url)
      })
    else {
      Issue.record("another error")
      return
    }
  }

  @Test func valuesInAnotherFileAreRefused() throws {
    try change { file in
      var length: hsize_t = 4
      let space = H5Screate_simple(1, &length, nil)
      let properties = H5Pcreate(chdf5_class_dataset_create())
      H5Pset_external(properties, "/etc/hostname", 0, 16)
      let dataset = H5Dcreate2(
        file, "model/outside", chdf5_file_float(), space, chdf5_default(), properties,
        chdf5_default())
      #expect(dataset >= 0)
      H5Dclose(dataset)
      H5Pclose(properties)
      H5Sclose(space)
    }
    guard
      case .wrongLayout(url, "model/outside", _, _) = checkpointError({
        _ = try CheckpointFile.open(url)
      })
    else {
      Issue.record("another error")
      return
    }
  }

  @Test func linksOutOfTheFileAreNotFollowed() throws {
    let other = folder.file("other.h5")
    try Sample.write(to: other)
    try change {
      H5Lcreate_external(
        other.path, "/model/temperature", $0, "model/external", chdf5_default(), chdf5_default())
      H5Lcreate_soft(
        "/model/temperature", $0, "model/soft", chdf5_default(), chdf5_default())
    }
    let file = try CheckpointFile.open(url)
    #expect(file.arrays.map(\.path) == Sample.arrays.map(\.path).sorted())
  }

  @Test func groupsThatHoldThemselvesEnd() throws {
    try change {
      for name in ["again", "andAgain"] {
        H5Lcreate_hard(
          $0, "/run/counters", $0, "run/counters/\(name)", chdf5_default(), chdf5_default())
        H5Lcreate_hard($0, "/model", $0, "model/\(name)", chdf5_default(), chdf5_default())
      }
    }
    guard case .wrongLayout = checkpointError({ _ = try CheckpointFile.open(url) }) else {
      Issue.record("another error")
      return
    }
  }

  @Test(arguments: ["run/step", "run/configuration", "run/fingerprints/vision", "run/seed"])
  func metadataOfAnotherKindIsRefused(path: String) throws {
    try change {
      #expect(H5Ldelete($0, path, chdf5_default()) >= 0)
      makeDataset($0, path, type: chdf5_file_float(), lengths: [3])
    }
    guard
      case .wrongLayout(url, path, _, _) = checkpointError({ _ = try CheckpointFile.open(url) })
    else {
      Issue.record("another error")
      return
    }
  }

  @Test func aGroupAmongTheFingerprintsIsRefused() throws {
    try change {
      H5Gclose(
        H5Gcreate2(
          $0, "run/fingerprints/deep", chdf5_default(), chdf5_default(), chdf5_default()))
      makeDataset($0, "run/fingerprints/deep/er", type: chdf5_file_float(), lengths: [1])
    }
    guard
      case .wrongLayout(url, "run/fingerprints/deep/er", _, _) = checkpointError({
        _ = try CheckpointFile.open(url)
      })
    else {
      Issue.record("another error")
      return
    }
  }

  @Test func missingMetadataIsRefused() throws {
    try change { #expect(H5Ldelete($0, "run/epoch", chdf5_default()) >= 0) }
    guard
      case .library("open /run/epoch", url, _) = checkpointError({
        _ = try CheckpointFile.open(url)
      })
    else {
      Issue.record("another error")
      return
    }
  }
}
