import Files
import Foundation

/// The first 512 bytes of a checkpoint, which HDF5 leaves to the program.
///
/// | bytes     | content                                            |
/// |-----------|----------------------------------------------------|
/// | 0 ..< 16  | `BLIP2CHECKPOINT\n`                                |
/// | 16 ..< 24 | format version, little-endian                      |
/// | 24 ..< 32 | length of the whole file in bytes, little-endian   |
/// | 32 ..< 64 | SHA-256 of the bytes from 512 to the end           |
/// | 64 ..< 480 | zero                                              |
/// | 480 ..< 512 | SHA-256 of bytes 0 ..< 480                       |
///
/// These places hold for all format versions, so that damage is told from a newer version.
struct UserBlock: Equatable {
  static let size = 512
  static let magic = Array("BLIP2CHECKPOINT\n".utf8)

  private static let versionOffset = 16
  private static let lengthOffset = 24
  private static let digestOffset = 32
  private static let paddingOffset = 64
  private static let blockDigestOffset = 480

  let formatVersion: UInt64
  let fileLength: UInt64
  /// 32 bytes.
  let contentsDigest: [UInt8]

  /// The block as it lies in the file.
  var bytes: [UInt8] {
    var bytes = Self.magic
    bytes += Self.littleEndianBytes(formatVersion)
    bytes += Self.littleEndianBytes(fileLength)
    bytes += contentsDigest
    bytes += [UInt8](repeating: 0, count: Self.blockDigestOffset - Self.paddingOffset)
    return bytes + SHA256.hash(bytes)
  }

  init(formatVersion: UInt64, fileLength: UInt64, contentsDigest: [UInt8]) {
    precondition(contentsDigest.count == SHA256.byteCount)
    self.formatVersion = formatVersion
    self.fileLength = fileLength
    self.contentsDigest = contentsDigest
  }

  /// Reads the block from the first bytes of `file`, which is `foundLength` bytes long.
  ///
  /// - Parameter bytes: the first 512 bytes, or all of a shorter file.
  /// - Throws: `CheckpointError` where this is no block, a damaged one, one of a newer version or
  ///   one of a file of another length.
  init(parsing bytes: [UInt8], foundLength: UInt64, file: URL) throws {
    guard bytes.prefix(Self.magic.count).elementsEqual(Self.magic.prefix(bytes.count)) else {
      throw CheckpointError.notACheckpoint(
        file, reason: "it does not begin with BLIP2CHECKPOINT; it \(FileKind.words(bytes))")
    }
    guard bytes.count == Self.size else {
      throw CheckpointError.wrongLength(file, expected: UInt64(Self.size), found: foundLength)
    }
    let blockDigest = SHA256.hash(bytes[..<Self.blockDigestOffset])
    guard bytes[Self.blockDigestOffset...].elementsEqual(blockDigest) else {
      throw CheckpointError.damaged(
        file, part: "user block", expected: bytes[Self.blockDigestOffset...].hexadecimal,
        found: blockDigest.hexadecimal)
    }
    self.init(
      formatVersion: Self.number(in: bytes, at: Self.versionOffset),
      fileLength: Self.number(in: bytes, at: Self.lengthOffset),
      contentsDigest: Array(bytes[Self.digestOffset..<Self.paddingOffset]))
    guard formatVersion <= UInt64(CheckpointMetadata.currentFormatVersion) else {
      throw CheckpointError.newerFormatVersion(
        file, found: Int(clamping: formatVersion),
        supported: CheckpointMetadata.currentFormatVersion)
    }
    guard fileLength == foundLength else {
      throw CheckpointError.wrongLength(file, expected: fileLength, found: foundLength)
    }
  }

  private static func littleEndianBytes(_ number: UInt64) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian, Array.init)
  }

  private static func number(in bytes: [UInt8], at offset: Int) -> UInt64 {
    bytes[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
