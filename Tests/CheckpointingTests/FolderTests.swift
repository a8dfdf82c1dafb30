import Files
import Foundation
import Testing

@testable import Checkpointing

@Suite struct FolderTests {
  let scratch: ScratchFolder
  let folder: CheckpointFolder

  init() throws {
    scratch = try ScratchFolder()
    folder = try CheckpointFolder(creating: scratch.file("deep/run"))
  }

  private func writeSteps(_ steps: [Int]) throws {
    for step in steps { try Sample.write(to: folder.file(step: step), step: step) }
  }

  private func steps() throws -> [Int] { try folder.entries().map(\.step) }

  @Test func namesAndStepsMatch() throws {
    #expect(CheckpointFolder.fileName(step: 40) == "step-00000040.h5")
    #expect(CheckpointFolder.fileName(step: 1_234_567_890) == "step-1234567890.h5")
    for name in [
      "step-00000040.h5", "step-1234567890.h5", "step-00000007.h5", "step-40.h5",
      "step--0000040.h5", "step-00000040.h5.bak", "step-000000040.h5", "step-+0000040.h5",
      "step-99999999999999999999.h5", ".step-00000001.h5.tmp-12", "best.h5",
    ] {
      #expect(FileManager.default.createFile(atPath: folder.url.path + "/" + name, contents: nil))
    }
    #expect(try steps() == [7, 40, 1_234_567_890])
  }

  @Test func creatingTwiceIsFineAndAFileIsNoFolder() throws {
    _ = try CheckpointFolder(creating: folder.url)
    let file = scratch.file("file")
    try Data().write(to: file)
    #expect(
      throws: SystemFailure("create folder", file.path, code: EEXIST)
    ) { _ = try CheckpointFolder(creating: file) }
    let inside = file.appendingPathComponent("run")
    #expect(
      throws: SystemFailure("create folder", inside.path, code: ENOTDIR)
    ) { _ = try CheckpointFolder(creating: inside) }
    #expect(throws: CheckpointError.missing(scratch.file("absent"))) {
      _ = try CheckpointFolder(existing: scratch.file("absent"))
    }
    #expect(throws: SystemFailure("open folder", file.path, code: ENOTDIR)) {
      _ = try CheckpointFolder(existing: file)
    }
  }

  @Test func theNewestSoundOneIsTaken() throws {
    try writeSteps([20, 40, 60, 80])
    let bytes = try Data(contentsOf: folder.file(step: 60))
    try bytes.dropLast(10).write(to: folder.file(step: 60))
    var flipped = try Data(contentsOf: folder.file(step: 80))
    flipped[700] ^= 1
    try flipped.write(to: folder.file(step: 80))
    let (file, passedOver) = try folder.newestSound()
    #expect(file?.metadata.step == 40, "\(passedOver)")
    #expect(file?.url == folder.file(step: 40))
    #expect(passedOver.map(\.url) == [folder.file(step: 80), folder.file(step: 60)])
    #expect("\(passedOver[0].reason)".contains("damaged: digest of the contents"))
    #expect("\(passedOver[1].reason)".contains("truncated"))
  }

  /// A run that goes on removes what is listed before it is opened, and there is always a newer one.
  @Test func aFolderUnderARunsHandsHasASoundOne() throws {
    try writeSteps([1])
    let writer = Thread { [folder] in
      for step in 2...40 {
        try? Sample.write(to: folder.file(step: step), step: step)
        _ = try? folder.prune(keepLast: 1, best: nil)
      }
    }
    writer.start()
    while !writer.isFinished { #expect(try folder.newestSound().file != nil) }
    #expect(try folder.newestSound().file?.metadata.step == 40)
  }

  @Test func aLockIsLookedAtWithoutATrace() throws {
    try folder.checkLock()
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == [])
    var lock: FolderLock? = try folder.lock()
    #expect(throws: CheckpointError.folderLocked(folder.url, process: getpid())) {
      try folder.checkLock()
    }
    #expect(lock?.isInPlace == true)
    lock = nil
    try folder.checkLock()
  }

  @Test func anEmptyFolderHasNoneSound() throws {
    let (file, passedOver) = try folder.newestSound()
    #expect(file == nil)
    #expect(passedOver.isEmpty)
    try FileManager.default.createDirectory(
      at: folder.file(step: 3), withIntermediateDirectories: false)
    #expect(try folder.newestSound().file == nil)
    #expect(try folder.newestSound().passedOver.map(\.url) == [folder.file(step: 3)])
  }

  @Test(arguments: [
    (1, nil, Int.max, [50]), (2, nil, .max, [40, 50]), (2, 10, .max, [10, 40, 50]),
    (2, 50, .max, [40, 50]), (9, nil, .max, [10, 20, 30, 40, 50]), (1, 7, .max, [50]),
    (1, nil, 30, [30, 40, 50]), (2, 10, 40, [10, 30, 40, 50]),
  ])
  func pruneKeepsTheLastAndTheBest(
    keepLast: Int, best: Int?, upToStep: Int, expected: [Int]
  ) throws {
    let all = [10, 20, 30, 40, 50]
    for step in all { try Data().write(to: folder.file(step: step)) }
    let removed = try folder.prune(keepLast: keepLast, best: best, upToStep: upToStep)
    #expect(try steps() == expected)
    #expect(removed == all.filter { !expected.contains($0) }.map(folder.file(step:)))
  }

  @Test func onlyTemporaryFilesAreRemoved() throws {
    try writeSteps([20])
    for name in [".step-00000040.h5.tmp-1", ".step-00000040.h5.tmp-", ".other", "a.tmp-3"] {
      try Data().write(to: folder.url.appendingPathComponent(name))
    }
    let lock = try folder.lock()
    let removed = try folder.removeStaleTemporaryFiles(holding: lock)
    #expect(removed.map(\.lastPathComponent) == [".step-00000040.h5.tmp-1"])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted() == [
        ".lock", ".other", ".step-00000040.h5.tmp-", "a.tmp-3", "step-00000020.h5",
      ])
  }

  @Test func aLockedFolderIsRefusedUntilItIsLetGo() throws {
    var lock: FolderLock? = try folder.lock()
    #expect(lock?.folder == folder.url)
    let error = checkpointError { _ = try folder.lock() }
    #expect(error == .folderLocked(folder.url, process: getpid()))
    #expect(error?.description.contains("\(folder.url.path) is in use") == true)
    #expect(error?.description.contains("(process \(getpid()))") == true)
    lock = nil
    _ = try folder.lock()
  }

  @Test func anotherProcessIsKeptOut() async throws {
    let lock = try folder.lock()
    await #expect(processExitsWith: .success) {
      [url = folder.url as URL, holder = getpid() as Int32] in
      let folder = try CheckpointFolder(existing: url)
      #expect(throws: CheckpointError.folderLocked(url, process: holder)) {
        _ = try folder.lock()
      }
    }
    #expect(lock.folder == folder.url)
  }

  @Test func aKilledProcessLetsGo() async throws {
    await #expect(processExitsWith: .signal(SIGKILL)) { [url = folder.url as URL] in
      let lock = try CheckpointFolder(existing: url).lock()
      kill(getpid(), SIGKILL)
      _ = lock
    }
    _ = try folder.lock()
  }

  @Test(arguments: ["", "nonsense", "-5\n", "99999999999999999999\n"])
  func aStrangeLockFileIsNoTrouble(contents: String) throws {
    let file = folder.url.appendingPathComponent(".lock")
    try Data(contents.utf8).write(to: file)
    let holder = try OpenFile(file.path, flags: O_RDWR)
    #expect(try holder.lockExclusively())
    #expect(throws: CheckpointError.folderLocked(folder.url, process: nil)) {
      _ = try folder.lock()
    }
  }
}
