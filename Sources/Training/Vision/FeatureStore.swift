import Datasets
import Foundation
import Tensors
import WeightFiles

/// Features of pictures that were computed earlier, in a memory-mapped safetensors file:
/// `features`, BF16 `[views, images, tokens, width]`, and `present`, U8 `[images]`, which is 0 where a
/// picture could not be read.
struct FeatureStore: SampleContent {
  static let features = "features"
  static let present = "present"
  /// The note that says what the features are of.
  static let stamp = "stamp"

  let valueCount: Int
  private let viewCount: Int
  private let imageCount: Int
  private let stored: StoredTensor
  private let isPresent: [Bool]
  /// How many pictures have no features.
  var absentCount: Int { isPresent.count { !$0 } }

  /// - Returns: Nil where the file does not hold what is expected.
  /// - Throws: `WeightFileError` where it cannot be read.
  init?(_ url: URL, stamp: String, shape: [Int]) throws {
    let file = try SafetensorsFile(url)
    let present = try file.tensor(named: FeatureStore.present)
    stored = try file.tensor(named: FeatureStore.features)
    guard file.metadata[FeatureStore.stamp] == stamp, stored.shape == shape,
      stored.elementType == .bfloat16, present.shape == [shape[1]]
    else { return nil }
    isPresent = try present.integers().map { $0 != 0 }
    (viewCount, imageCount) = (shape[0], shape[1])
    valueCount = shape[2] * shape[3]
  }

  func write(
    _ sample: CaptionSample, of source: any SampleSource, using random: inout RandomStream,
    into output: UnsafeMutableBufferPointer<Float>
  ) throws {
    guard isPresent[sample.image] else { throw Unreadable() }
    // Drawn in the same place of the sample's stream that augmentation would begin at.
    let view = viewCount == 1 ? 0 : Int((UInt64(random.nextWord()) * UInt64(viewCount)) >> 32)
    let start = (view * imageCount + sample.image) * valueCount
    withExtendedLifetime(stored.file) {
      for index in 0..<valueCount {
        let bits = stored.bytes.loadUnaligned(
          fromByteOffset: (start + index) * 2, as: UInt16.self)
        output[index] = Float(bitPattern: UInt32(bits) << 16)
      }
    }
  }

  struct Unreadable: Error, CustomStringConvertible {
    var description: String { "could not be read when its features were computed" }
  }
}
