import Foundation
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import VisionEncoders

/// Damaged settings and files of encoders end in an encoder that works, or in an error of our own.
/// What a configuration asks for costs nothing before the weights have been held against it.
@Suite struct EncoderFuzzTests {
  private func fuzz(
    _ reader: String, _ samples: [FuzzRun.Sample],
    damage: (inout Mutator, [UInt8], [UInt8]) -> [UInt8], read: ([UInt8]) throws -> Void
  ) {
    let run = FuzzRun(reader: reader, samples: samples) {
      $0 is VisionEncoderError || $0 is ModelConfigurationError || $0 is WeightFileError
    }
    let report = run.run(damage: damage, read: read)
    #expect(report.problems == [])
    // Both must happen, or the trial says nothing.
    let count = report.accepted + report.refused
    #expect(count < 100 || report.accepted > 0 && report.refused > count / 10, "\(report)")
  }

  /// Runs an encoder on an image of its own size, which its tiny weights keep small.
  private func use(_ encoder: any VisionEncoder) {
    let side = encoder.nativeImageSize
    let features = encoder.features(
      Tensor(repeating: 0.5, shape: [1, 3, side, side]), output: encoder.wholeOutput)
    #expect(features.shape[2] == encoder.width)
  }

  /// The `config.json` of a family, by itself and within a whole model, beside the weights.
  private func fuzzConfiguration(_ kind: TinyEncoder, _ reader: String, whole: String?) throws {
    let folder = try EncoderFolder(kind)
    let file = folder.url.appendingPathComponent("config.json")
    var samples = [try FuzzRun.Sample(file)]
    if let whole {
      try folder.putIntoWholeModel(whole)
      samples.append(try FuzzRun.Sample(file))
    }
    fuzz(reader, samples) { mutator, bytes, other in
      mutator.mutatedJSON(bytes, with: other)
    } read: { bytes in
      try folder.folder.replace("config.json", with: bytes)
      use(try VisionEncoderFamily.encoder(at: folder.url))
    }
  }

  @Test func clipConfiguration() throws {
    try fuzzConfiguration(.clip, "clip-config", whole: "clip")
  }

  @Test func blip2Configuration() throws {
    try fuzzConfiguration(.eva, "blip2-config", whole: "blip-2")
  }

  @Test func dinov2Configuration() throws {
    try fuzzConfiguration(.dinov2, "dinov2-config", whole: nil)
  }

  @Test func pixelNormalisation() throws {
    let folder = try TemporaryFolder()
    let texts = [
      #"{"image_mean": [0.5, 0.25, 0.125], "image_std": [1, 2, 4], "size": {"height": 30}}"#,
      #"{"crop_size": 224, "do_resize": true}"#,
    ]
    let samples = texts.map { FuzzRun.Sample(name: $0, bytes: Array($0.utf8)) }
    fuzz("preprocessor-config", samples) { mutator, bytes, other in
      mutator.mutatedJSON(bytes, with: other)
    } read: { bytes in
      try folder.replace("preprocessor_config.json", with: bytes)
      let pixels = try PixelNormalisation.of(folder.url, family: .clip)
      #expect(pixels.mean.count == 3 && pixels.deviation.count == 3)
    }
  }

  /// Headers of files in the names of EVA's authors: sizes, names and notes.
  @Test func evaFile() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("sample.safetensors")
    func sample(_ prefix: String) throws -> FuzzRun.Sample {
      let encoder = try #require(TinyEncoder.eva.made as? EVAViT)
      let weights = EVAGolden.authorsWeights(of: encoder).map { (prefix + $0.key, $0.value) }
      try SafetensorsWriter.write(
        Dictionary(uniqueKeysWithValues: weights),
        metadata: ["config": #"{"num_heads": 2, "layer_norm_eps": 1e-05}"#], to: file)
      return try FuzzRun.Sample(file)
    }
    let samples = [try sample(""), try sample("visual_encoder."), try sample("visual.")]
    fuzz("eva-file", samples) { mutator, bytes, other in
      let length = Int(bytes[0]) | Int(bytes[1]) << 8
      let text = Array(bytes[8..<8 + length])
      let header =
        mutator.below(3) == 0
        ? mutator.mutatedJSON(text, with: other) : Self.withOtherSizes(text, &mutator)
      return number(header.count, 8) + header + bytes[(8 + length)...]
    } read: { bytes in
      let url = try folder.replace("eva.safetensors", with: bytes)
      use(try VisionEncoderFamily.encoder(at: url))
    }
  }

  /// Exchanges digits and letters of a header, or the shapes of two tensors, so that it mostly remains
  /// one.
  private static func withOtherSizes(_ text: [UInt8], _ mutator: inout Mutator) -> [UInt8] {
    var result = text
    func places(where matches: (UInt8) -> Bool) -> [Int] {
      result.indices.filter { matches(result[$0]) }
    }
    switch mutator.below(3) {
    case 0:  // Names and notes.
      let letters = places { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
      let (first, second) = (mutator.below(letters.count), mutator.below(letters.count))
      result[letters[first]] = result[letters[second]]
    case 1:  // Another order of a shape's or a place's numbers, whose product stays.
      let commas = places { $0 == UInt8(ascii: ",") }
      let comma = commas[mutator.below(commas.count)]
      let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
      let left = Array(result[..<comma].reversed().prefix(while: isDigit).reversed())
      let right = Array(result[(comma + 1)...].prefix(while: isDigit))
      guard !left.isEmpty, !right.isEmpty else { break }
      result.replaceSubrange(
        comma - left.count...comma + right.count, with: right + [UInt8(ascii: ",")] + left)
    default: break
    }
    return result
  }
}
