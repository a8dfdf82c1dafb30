import Foundation
import TestSupport
import Testing

@testable import Datasets

/// One image of `images/cases.json`.
struct GoldenImage: Decodable, CustomTestStringConvertible {
  struct Crop: Decodable {
    var top, left, height, width: Int
    var box: PixelBox { PixelBox(left: left, top: top, width: width, height: height) }
  }

  var file: String
  var width, height: Int
  var exact: Bool
  var crop: Crop
  var blended: Bool
  var note: String

  enum CodingKeys: String, CodingKey {
    case file, width, height, exact, crop, note
    case blended = "blended_on_white_by_transformers_5"
  }

  var testDescription: String { file }
  var url: URL { Goldens.folder.appendingPathComponent("images/\(file)") }
  /// The golden image of the given name as an image.
  func image(_ value: String) throws -> RGBImage {
    let tensor = try GoldenTensors.images.get().tensor("\(file)/\(value)")
    return RGBImage(width: tensor.shape[1], height: tensor.shape[0], pixels: tensor.bytes)
  }

  func floats(_ value: String) throws -> [Float] {
    try GoldenTensors.images.get().tensor("\(file)/\(value)").floats
  }

  private struct File: Decodable {
    struct Broken: Decodable { var file: String }
    var cases: [GoldenImage]
    var broken: [Broken]
  }

  private static let file: File = {
    do {
      let data = try Foundation.Data(
        contentsOf: Goldens.folder.appendingPathComponent("images/cases.json"))
      return try JSONDecoder().decode(File.self, from: data)
    } catch {
      fatalError("images/cases.json of the goldens: \(error)")
    }
  }()

  static let all = file.cases
  static let broken = file.broken.map(\.file)
}

/// A safetensors file, as far as the image goldens need it.
struct GoldenTensors {
  struct Tensor {
    var shape: [Int]
    var bytes: [UInt8]
    var floats: [Float] {
      bytes.withUnsafeBytes { raw in
        (0..<(raw.count / 4)).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
      }
    }
  }

  private struct Entry: Decodable {
    var shape: [Int]
    var offsets: [Int]

    enum CodingKeys: String, CodingKey {
      case shape
      case offsets = "data_offsets"
    }
  }

  private let entries: [String: Entry]
  private let bytes: [UInt8]

  static let images = Result {
    try GoldenTensors(Goldens.folder.appendingPathComponent("images/golden.safetensors"))
  }

  init(_ url: URL) throws {
    let file = [UInt8](try Foundation.Data(contentsOf: url))
    let length = file[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    var header =
      try JSONSerialization.jsonObject(
        with: Foundation.Data(file[8..<(8 + length)])) as? [String: Any] ?? [:]
    header["__metadata__"] = nil
    entries = try JSONDecoder().decode(
      [String: Entry].self, from: JSONSerialization.data(withJSONObject: header))
    bytes = Array(file[(8 + length)...])
  }

  func tensor(_ name: String) throws -> Tensor {
    guard let entry = entries[name] else { throw CocoaError(.fileNoSuchFile) }
    return Tensor(
      shape: entry.shape, bytes: Array(bytes[entry.offsets[0]..<entry.offsets[1]]))
  }
}

/// The largest difference of two images' samples, and how many differ.
func difference(_ a: RGBImage, _ b: RGBImage) -> (largest: Int, count: Int) {
  guard a.width == b.width, a.height == b.height else { return (256, a.pixels.count) }
  let differences = zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }
  return (differences.max() ?? 0, differences.count { $0 != 0 })
}
