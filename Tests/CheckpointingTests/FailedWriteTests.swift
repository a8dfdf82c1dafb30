import Files
import Foundation
import Testing

@testable import Checkpointing

/// Writing that cannot be finished leaves the folder as it was. Limits and signals belong to a
/// whole process, so these tests use processes of their own.
@Suite struct FailedWriteTests {
  let folder: ScratchFolder
  let earlier: URL
  let next: URL

  init() throws {
    folder = try ScratchFolder()
    earlier = folder.file("step-00000020.h5")
    next = folder.file("step-00000040.h5")
    try Sample.write(to: earlier, step: 20)
  }

  private func expectOnlyTheEarlier() throws {
    #expect(try folder.names() == ["step-00000020.h5"])
    #expect(try CheckpointFile.open(earlier).metadata == Sample.metadata(step: 20))
  }

  /// An array of 4 MB.
  private static func large(_ path: String) -> CheckpointArray {
    CheckpointArray(path: path, shape: [1 << 20], values: [Float](repeating: 1, count: 1 << 20))
  }

  private static func limitFileSize(to byteCount: UInt64) {
    signal(SIGXFSZ, SIG_IGN)
    var limit = rlimit(rlim_cur: rlim_t(byteCount), rlim_max: rlim_t.max)
    precondition(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
  }

  @Test func aFileSizeLimitIsSeenBeforeWriting() async throws {
    await #expect(processExitsWith: .success) { [next = next as URL] in
      signal(SIGXFSZ, SIG_DFL)
      var limit = rlimit(rlim_cur: 1 << 20, rlim_max: rlim_t.max)
      #expect(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
      let error = checkpointError {
        try CheckpointWriter.write(
          to: next, metadata: Sample.metadata(), arrays: [FailedWriteTests.large("model/large")])
      }
      guard case .writingFailed(next, let needed, EFBIG) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(needed > 4 << 20)
    }
    try expectOnlyTheEarlier()
  }

  /// The disk runs full in the middle of the values, after room was thought to be there; once it
  /// has room again, the same process can write.
  @Test(arguments: [0, 100, 600, 5_000, 4_200_000, 5_000_000, 8_000_000] as [UInt64])
  func aDiskThatRunsFullEndsWithAnError(room: UInt64) async throws {
    await #expect(processExitsWith: .success) { [next = next as URL, room = room as UInt64] in
      let filling = CheckpointArray(path: "model/b", shape: [1]) { body in
        FailedWriteTests.limitFileSize(to: room)
        try [Float(1)].withUnsafeBufferPointer(body)
      }
      let arrays = [FailedWriteTests.large("model/a"), filling, Self.large("model/c")]
      let error = checkpointError {
        try CheckpointWriter.write(to: next, metadata: Sample.metadata(), arrays: arrays)
      }
      guard case .writingFailed(next, let needed, EFBIG) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(needed > 8 << 20)
      #expect(error?.description.contains("File too large") == true)
      FailedWriteTests.limitFileSize(to: .max)
      try Sample.write(to: next)
      _ = try CheckpointFile.open(next)
      unlink(next.path)
    }
    try expectOnlyTheEarlier()
  }

  @Test func tooLittleSpaceIsSeenBeforeWriting() throws {
    // 32 PB, which no volume has free and whose values are never asked for.
    let huge = CheckpointArray(path: "model/huge", shape: [1 << 53]) { _ in
      Issue.record("values were asked for")
    }
    let error = checkpointError {
      try CheckpointWriter.write(to: next, metadata: Sample.metadata(), arrays: [huge])
    }
    guard case .insufficientSpace(next, let needed, let available) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(needed > 1 << 55)
    #expect(available < needed)
    try expectOnlyTheEarlier()
  }

  @Test func aKilledRunLeavesTheEarlierCheckpoint() async throws {
    await #expect(processExitsWith: .signal(SIGKILL)) { [next = next as URL] in
      let killing = CheckpointArray(path: "model/b", shape: [1]) { _ in kill(getpid(), SIGKILL) }
      try CheckpointWriter.write(
        to: next, metadata: Sample.metadata(), arrays: [FailedWriteTests.large("model/a"), killing])
    }
    let left = try folder.names().filter { $0 != "step-00000020.h5" }
    #expect(left.count == 1)
    #expect(left.first?.hasPrefix(".step-00000040.h5.tmp-") == true)
    let run = try CheckpointFolder(existing: folder.url)
    let removed = try run.removeStaleTemporaryFiles(holding: run.lock())
    #expect(removed.map(\.lastPathComponent) == left)
    let (file, passedOver) = try run.newestSound()
    #expect(file?.metadata.step == 20)
    #expect(passedOver.isEmpty)
  }

  /// Root may write anywhere, so the process becomes another user first.
  @Test func aReadOnlyFolderIsNamed() async throws {
    chmod(folder.url.path, 0o555)
    defer { chmod(folder.url.path, 0o755) }
    await #expect(processExitsWith: .success) { [next = next as URL] in
      if geteuid() == 0 { #expect(setuid(65534) == 0) }
      let error = #expect(throws: SystemFailure.self) { try Sample.write(to: next) }
      #expect(error == SystemFailure("create", next.path, code: EACCES))
      #expect(error?.description == "cannot create \(next.path): Permission denied")
      let run = try CheckpointFolder(existing: next.deletingLastPathComponent())
      #expect(throws: SystemFailure("open", run.url.path + "/.lock", code: EACCES)) {
        try run.lock()
      }
      #expect(try run.newestSound().file?.metadata.step == 20)
    }
    try expectOnlyTheEarlier()
  }

  /// Places that take no files even from root.
  @Test func aFolderThatTakesNoFilesIsNamed() throws {
    for (path, code) in [
      ("/proc/self/step.h5", ENOENT), (earlier.path + "/step.h5", ENOTDIR),
      (folder.url.path + "/absent/step.h5", ENOENT),
    ] {
      let url = URL(fileURLWithPath: path)
      #expect(throws: SystemFailure("create", url.path, code: code)) {
        try Sample.write(to: url)
      }
    }
    try expectOnlyTheEarlier()
  }

  @Test func aFinalNameThatIsTakenByAFolderIsNamed() throws {
    try FileManager.default.createDirectory(at: next, withIntermediateDirectories: false)
    #expect(throws: SystemFailure("create", next.path, code: EISDIR)) {
      try Sample.write(to: next)
    }
    #expect(try folder.names() == ["step-00000020.h5", "step-00000040.h5"])
  }
}
