import Files
import Foundation
import Training
import WeightFiles

/// What lies where in a file of features, a safetensors file of
/// `checksums`, I32 `[views, images]`: the CRC-32C of each row, 0 where the image could not be read;
/// `digest`, I32 `[1]`: the CRC-32C of the checksums;
/// `features`, BF16 `[views, images, tokens, width]`.
///
/// A row is an image in one view; rows are counted view by view.
struct FeatureLayout: Equatable {
  static let checksums = "checksums"
  static let digest = "digest"
  static let features = "features"
  /// The note that says what the features are of.
  static let stamp = "stamp"

  var views: Int
  var images: Int
  var tokens: Int
  var width: Int

  var rowCount: Int { views * images }
  /// The numbers of a row.
  var valueCount: Int { tokens * width }
  var rowByteCount: Int { valueCount * 2 }
  /// The shape of `features`.
  var shape: [Int] { [views, images, tokens, width] }

  /// The tensors in the order in which they lie in the file: the widest elements first.
  var tensors: [SafetensorsWriter.Announcement] {
    [
      .init(FeatureLayout.checksums, .int32, shape: [views, images]),
      .init(FeatureLayout.digest, .int32, shape: [1]),
      .init(FeatureLayout.features, .bfloat16, shape: shape),
    ]
  }

  /// The bytes of all tensors.
  var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }
  /// Where the digest begins, counted from the first tensor.
  var digestOffset: Int { 4 * rowCount }
  /// Where a row begins, counted from the first tensor.
  func offset(ofRow row: Int) -> Int { digestOffset + 4 + row * rowByteCount }

  /// The checksum of a row that was read, which is never 0.
  static func checksum(of row: UnsafeRawBufferPointer) -> UInt32 {
    max(1, CRC32C.checksum(of: row))
  }

  static func digest(of checksums: some Collection<UInt32>) -> UInt32 {
    bytes(of: checksums).withUnsafeBytes { CRC32C.checksum(of: $0) }
  }

  /// The numbers as they lie in the file.
  static func bytes(of numbers: some Collection<UInt32>) -> [UInt8] {
    numbers.map(\.littleEndian).withUnsafeBytes { Array($0) }
  }

  static func numbers(in bytes: UnsafeRawBufferPointer) -> [UInt32] {
    (0..<bytes.count / 4).map {
      UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))
    }
  }
}
