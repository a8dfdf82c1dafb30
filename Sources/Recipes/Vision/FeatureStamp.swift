import Datasets
import Files
import Foundation
import Tensors

/// All that decides the content of a file of features.
struct FeatureStamp: Encodable {
  /// To be raised with every change of what is computed (decoding, transforms, encoders) and of
  /// the file's layout.
  private var version = 2
  let encoder: String
  let layer: Int?
  let finalNorm: Bool
  let images: String
  let decoding: ImageDecoding
  let maximumPixelCount: Int
  let views: [[ImageTransform]]
  /// That of the encoder's products; nil, and absent, for float32.
  let precision: ProductPrecision?

  /// - Parameter images: The fingerprint of the data set's images.
  init(_ tower: VisionTower, images: String, decoder: ImageDecoder, views: [[ImageTransform]]) {
    encoder = tower.fingerprint ?? ""
    layer = tower.output.layer
    finalNorm = tower.output.appliesFinalNorm
    self.images = images
    decoding = decoder.options
    maximumPixelCount = decoder.maximumPixelCount
    self.views = views
    precision = tower.precision == .float32 ? nil : tower.precision
  }

  /// As JSON, the same text for the same stamp.
  func text() throws -> String { try JSONLine.text(self) }

  /// The name of the file: the beginning of a digest of the stamp.
  static func fileName(of text: String) -> String {
    SHA256.hash(text.utf8).prefix(8).hexadecimal + ".safetensors"
  }

  /// What differs between two stamps, by the names of their parts; nil where one is no stamp.
  static func differences(_ first: String, _ second: String) -> [String]? {
    guard let first = parts(of: first), let second = parts(of: second) else { return nil }
    return Set(first.keys).union(second.keys).filter { first[$0] != second[$0] }.sorted()
  }

  private static func parts(of text: String) -> [String: NSObject]? {
    try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: NSObject]
  }
}
