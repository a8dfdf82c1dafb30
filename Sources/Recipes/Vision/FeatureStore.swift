import Datasets
import Files
import Foundation
import Tensors
import Training
import WeightFiles

/// Features of images that were computed earlier, in a memory-mapped file of ``FeatureLayout``.
///
/// Opening looks at the header and the checksums; a row is held against its checksum when it is read.
struct FeatureStore: SampleContent {
  let url: URL
  let layout: FeatureLayout
  var shape: [Int] { [layout.tokens, layout.width] }
  private let stored: StoredTensor
  private let checksums: [UInt32]
  /// By image: whether it could be read in all views.
  private let isPresent: [Bool]
  /// How many images have no features.
  var absentCount: Int { isPresent.count { !$0 } }

  /// - Returns: Nil where the file does not hold what is expected.
  /// - Throws: `WeightFileError` where it cannot be read or is damaged.
  init?(_ url: URL, stamp: String, layout: FeatureLayout) throws {
    let file = try SafetensorsFile(url)
    guard file.metadata[FeatureLayout.stamp] == stamp else { return nil }
    let tensors = try layout.tensors.map { try file.tensor(named: $0.name) }
    let isExpected = zip(tensors, layout.tensors).allSatisfy {
      $0.shape == $1.shape && $0.elementType == $1.elementType
    }
    guard isExpected else { return nil }
    (checksums, isPresent) = try withExtendedLifetime(file) {
      let checksums = FeatureLayout.numbers(in: tensors[0].bytes)
      let (expected, found) = (
        FeatureLayout.numbers(in: tensors[1].bytes), [FeatureLayout.digest(of: checksums)]
      )
      guard expected == found else {
        throw WeightFileError.damagedTensor(
          file: url.path, tensor: FeatureLayout.checksums, expected: "the CRC-32C \(expected[0])",
          found: "\(found[0])")
      }
      let isPresent = (0..<layout.images).map { image in
        (0..<layout.views).allSatisfy { checksums[$0 * layout.images + image] != 0 }
      }
      return (checksums, isPresent)
    }
    stored = tensors[2]
    self.url = url
    self.layout = layout
  }

  /// - Throws: ``ContentFailure`` where the image's row is damaged.
  func write(
    _ sample: CaptionSample, of source: any SampleSource, using random: inout RandomStream,
    into output: UnsafeMutableBufferPointer<Float>
  ) throws {
    guard isPresent[sample.image] else { throw Unreadable() }
    // Drawn in the same place of the sample's stream that augmentation would begin at.
    let view = layout.views == 1 ? 0 : Int((UInt64(random.nextWord()) * UInt64(layout.views)) >> 32)
    let row = view * layout.images + sample.image
    try withExtendedLifetime(stored.file) {
      let bytes = bytes(ofRow: row)
      guard FeatureLayout.checksum(of: bytes) == checksums[row] else {
        throw ContentFailure(
          RunError.damagedFeatures(
            file: url.path, image: FileName.displayed(sample.path), view: view + 1))
      }
      if let values = bytes.baseAddress, let target = output.baseAddress {
        NumberFormat.bfloat16.expand(values, count: valueCount, into: target)
      }
    }
  }

  /// Reads the whole file.
  /// - Returns: The first row that is not what was written, counted view by view; nil if all are.
  /// - Throws: ``Interrupted`` where a signal asked for an end.
  func firstDamagedRow() throws -> Int? {
    try withExtendedLifetime(stored.file) {
      for (row, checksum) in checksums.enumerated() where checksum != 0 {
        try StopRequest.check()
        if FeatureLayout.checksum(of: bytes(ofRow: row)) != checksum { return row }
      }
      return nil
    }
  }

  private func bytes(ofRow row: Int) -> UnsafeRawBufferPointer {
    let start = row * layout.rowByteCount
    return UnsafeRawBufferPointer(
      rebasing: stored.bytes[start..<(start + layout.rowByteCount)])
  }

  struct Unreadable: Error, CustomStringConvertible {
    var description: String { "could not be read when its features were computed" }
  }
}
