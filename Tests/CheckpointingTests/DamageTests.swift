import CHDF5
import Files
import Foundation
import Testing

@testable import Checkpointing

/// Files that are not what they should be are refused with a typed error.
@Suite struct DamageTests {
  let folder: ScratchFolder
  let url: URL
  let sound: [UInt8]

  init() throws {
    folder = try ScratchFolder()
    url = folder.file("step-00000040.h5")
    try Sample.write(to: url)
    sound = Array(try Data(contentsOf: url))
  }

  private func refusal(of bytes: [UInt8]) throws -> CheckpointError? {
    try Data(bytes).write(to: url)
    return checkpointError { _ = try CheckpointFile.open(url) }
  }

  /// Damages of one kind, made from a seed that is printed with a failure.
  enum Damage: String, CaseIterable, Sendable {
    case truncated, bitFlipped, bytesReplaced, userBlockFlipped, appended, swappedBlocks, zeroed

    func apply(to sound: [UInt8], seed: UInt64) -> [UInt8] {
      var random = SplitMix(state: seed)
      var bytes = sound
      switch self {
      case .truncated: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
      case .bitFlipped: bytes[.random(in: bytes.indices, using: &random)] ^= 1 << (seed % 8)
      case .userBlockFlipped: bytes[.random(in: 0..<512, using: &random)] ^= 1 << (seed % 8)
      case .bytesReplaced:
        for _ in 0..<Int.random(in: 2...64, using: &random) {
          bytes[.random(in: bytes.indices, using: &random)] ^= .random(in: 1...255, using: &random)
        }
      case .appended:
        bytes += (0..<Int.random(in: 1...5000, using: &random)).map { _ in
          .random(in: 0...255, using: &random)
        }
      case .swappedBlocks:
        let start = Int.random(in: 512..<bytes.count - 512, using: &random)
        bytes = Array(bytes[..<512] + bytes[start...] + bytes[512..<start])
      case .zeroed:
        let start = Int.random(in: 0..<bytes.count - 600, using: &random)
        for index in start..<start + 600 { bytes[index] = 0 }
      }
      return bytes
    }
  }

  @Test(arguments: Damage.allCases, 0..<3)
  func damagedFilesAreRefused(damage: Damage, batch: Int) throws {
    for seed in UInt64(batch * 20)..<UInt64(batch * 20 + 20) {
      let bytes = damage.apply(to: sound, seed: seed)
      guard bytes != sound else { continue }
      #expect(try refusal(of: bytes) != nil, "\(damage) \(seed)")
    }
  }

  @Test func everyByteOfTheUserBlockCounts() throws {
    for index in 0..<512 {
      var bytes = sound
      bytes[index] ^= 1
      let error = try refusal(of: bytes)
      switch error {
      case .notACheckpoint: #expect(index < 16)
      case .damaged(_, part: "user block", _, _): #expect(index >= 16)
      default: Issue.record("byte \(index): \(String(describing: error))")
      }
    }
  }

  @Test func theReasonIsNamed() throws {
    #expect(
      try refusal(of: []) == .wrongLength(url, expected: 512, found: 0))
    #expect(
      try refusal(of: Array(sound.prefix(100))) == .wrongLength(url, expected: 512, found: 100))
    let length = UInt64(sound.count)
    let shortened = try refusal(of: sound.dropLast(3))
    #expect(shortened == .wrongLength(url, expected: length, found: length - 3))
    #expect(shortened?.description.contains("expected \(length) bytes") == true)
    #expect(
      try refusal(of: sound + [0]) == .wrongLength(url, expected: length, found: length + 1))
    var flipped = sound
    flipped[sound.count - 1] ^= 4
    guard case .damaged(url, part: "contents", let expected, let found) = try refusal(of: flipped)
    else {
      Issue.record("another error")
      return
    }
    #expect(expected == sound[32..<64].hexadecimal)
    #expect(found == SHA256.hash(flipped[512...]).hexadecimal)
    #expect(
      try refusal(of: Array("some text".utf8))
        == .notACheckpoint(
          url,
          reason:
            "it does not begin with BLIP2CHECKPOINT; it is a text that begins with \"some text\""))
  }

  @Test func aNewerFormatVersionIsRefused() throws {
    let block = UserBlock(
      formatVersion: 7, fileLength: UInt64(sound.count), contentsDigest: Array(sound[32..<64]))
    #expect(
      try refusal(of: block.bytes + sound[512...])
        == .newerFormatVersion(url, found: 7, supported: 1))
  }

  @Test func whatIsNoFileIsRefused() throws {
    let missing = folder.file("missing.h5")
    #expect(throws: CheckpointError.missing(missing)) { try CheckpointFile.open(missing) }
    #expect(throws: CheckpointError.notACheckpoint(folder.url, reason: "it is no regular file")) {
      try CheckpointFile.open(folder.url)
    }
    let pipe = folder.file("pipe.h5")
    #expect(mkfifo(pipe.path, 0o600) == 0)
    #expect(throws: CheckpointError.notACheckpoint(pipe, reason: "it is no regular file")) {
      try CheckpointFile.open(pipe)
    }
  }

  /// Bytes that never were an HDF5 file, with a digest that fits.
  @Test func sealedNonsenseIsRefused() throws {
    let contents = Array("no superblock here".utf8)
    let block = UserBlock(
      formatVersion: 1, fileLength: UInt64(512 + contents.count),
      contentsDigest: SHA256.hash(contents))
    guard
      case .library(operation: "open the file", url, _) = try refusal(
        of: block.bytes + contents)
    else {
      Issue.record("another error")
      return
    }
  }

  private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
  }
}
