import Foundation
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import VisionEncoders

/// Folders that are not what they should be: each is refused with words that say what to look at.
@Suite struct DINOv2FolderTests {
  @Test func otherFamiliesAreNamed() throws {
    let folder = try EncoderFolder(.dinov2)
    try folder.configure(["model_type": "resnet"])
    #expect(
      throws: ModelConfigurationError.unknownFamily(
        file: folder.url.appendingPathComponent("config.json").path, found: "resnet",
        known: ["blip-2", "blip_2_vision_model", "clip", "clip_vision_model", "dinov2"])
    ) { _ = try VisionEncoderFamily.encoder(folder: folder.url) }
    let text = message { _ = try VisionEncoderFamily.encoder(folder: folder.url) }
    #expect(text?.contains("clip_vision_model, dinov2, found resnet") == true)
  }

  /// A configuration that is changed in one key, and words of the error.
  struct BadKey: CustomStringConvertible {
    let key: String
    let value: Any?
    let words: String
    var description: String { "\(key): \(value.map { "\($0)" } ?? "missing")" }
  }

  static let badKeys: [BadKey] =
    ["hidden_size", "num_hidden_layers", "num_attention_heads", "patch_size", "image_size"]
    .flatMap { key in
      [
        BadKey(key: key, value: nil, words: "\(key): missing"),
        BadKey(key: key, value: 0, words: "\(key): expected 1 to"),
        BadKey(key: key, value: -4, words: "\(key): expected 1 to"),
        BadKey(key: key, value: Int.max, words: "\(key): expected 1 to"),
        BadKey(key: key, value: Int.min, words: "\(key): expected 1 to"),
        BadKey(key: key, value: 1e30, words: key),
        BadKey(key: key, value: 2.5, words: key),
        BadKey(key: key, value: "32", words: key),
        BadKey(key: key, value: [32], words: key),
        BadKey(key: key, value: NSNull(), words: key),
      ]
    } + [
      BadKey(key: "mlp_ratio", value: 0, words: "mlp_ratio: expected 1 to"),
      BadKey(key: "mlp_ratio", value: 1 << 40, words: "mlp_ratio: expected 1 to"),
      BadKey(key: "num_attention_heads", value: 5, words: "5 does not divide 8"),
      BadKey(key: "patch_size", value: 7, words: "image_size: 6 is less than a patch of 7"),
      BadKey(key: "layer_norm_eps", value: -1, words: "layer_norm_eps"),
      BadKey(key: "layer_norm_eps", value: "small", words: "layer_norm_eps"),
      BadKey(key: "use_swiglu_ffn", value: true, words: "use_swiglu_ffn"),
      BadKey(key: "hidden_act", value: "relu", words: "hidden_act: expected gelu, found relu"),
      BadKey(key: "model_type", value: nil, words: "model_type: missing"),
      BadKey(key: "model_type", value: 7, words: "model_type"),
    ]

  @Test(arguments: badKeys)
  func badConfiguration(_ example: BadKey) throws {
    let folder = try EncoderFolder(.dinov2)
    try folder.configure([example.key: example.value])
    let text = try #require(message { _ = try VisionEncoderFamily.encoder(folder: folder.url) })
    #expect(text.contains(example.words), "\(text)")
    #expect(text.contains("config.json"), "\(text)")
  }

  static let damagedTexts = [
    "", "{", "null", "[]", "\"dinov2\"", "{\"model_type\": \"dinov2\"", "\u{0}\u{0}\u{0}",
    "{\"model_type\": \"dinov2\"} trailing",
    // Deep nesting, also where brackets within strings would seem to close it.
    String(repeating: "[", count: 100_000),
    "{\"a\":" + String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
      + "}",
    "{\"b\":\"" + String(repeating: "]", count: 100_000) + "\",\"a\":"
      + String(repeating: "{\"a\":", count: 100_000) + "1" + String(repeating: "}", count: 100_001),
    String(repeating: " ", count: (1 << 20) + 1) + "{}",
  ]

  @Test(arguments: damagedTexts.indices)
  func damagedConfiguration(_ index: Int) throws {
    let folder = try EncoderFolder(.dinov2)
    try folder.folder.write(Self.damagedTexts[index], to: "config.json")
    for read in [
      { _ = try VisionEncoderFamily.encoder(folder: folder.url) },
      { _ = try DINOv2(folder: folder.url) },
    ] {
      #expect(throws: ModelConfigurationError.self) { try read() }
      #expect(message(of: read)?.contains("config.json") == true)
    }
  }

  @Test func nestingThatOnlyStringsSeemToHaveIsRead() throws {
    let folder = try EncoderFolder(.dinov2)
    try folder.configure(["note": String(repeating: "[{", count: 100) + "\\\"]"])
    #expect(throws: Never.self) { _ = try DINOv2(folder: folder.url) }
  }

  @Test func missingFiles() throws {
    let folder = try EncoderFolder(.dinov2)
    try FileManager.default.removeItem(at: folder.url.appendingPathComponent("model.safetensors"))
    #expect(throws: WeightFileError.self) { _ = try DINOv2(folder: folder.url) }
    try FileManager.default.removeItem(at: folder.url.appendingPathComponent("config.json"))
    #expect(throws: ModelConfigurationError.self) { _ = try DINOv2(folder: folder.url) }
    let nowhere = folder.url.appendingPathComponent("nowhere")
    #expect(throws: ModelConfigurationError.self) {
      _ = try VisionEncoderFamily.encoder(folder: nowhere)
    }
    let text = message { _ = try VisionEncoderFamily.encoder(at: nowhere) }
    #expect(text?.contains("\(nowhere.path): not found; expected a folder") == true)
  }

  @Test func aMissingTensorIsNamed() throws {
    let folder = try EncoderFolder(.dinov2)
    let name = "encoder.layer.1.mlp.fc1.bias"
    try folder.rewriteWeights { $0[name] = nil }
    let text = message { _ = try DINOv2(folder: folder.url) }
    #expect(text?.contains(name) == true && text?.contains(folder.url.path) == true)
  }

  @Test func aWrongShapeIsNamedBesideTheRightOne() throws {
    let folder = try EncoderFolder(.dinov2)
    try folder.configure(["mlp_ratio": 4])
    let text = try #require(message { _ = try DINOv2(folder: folder.url) })
    #expect(text.contains("encoder.layer.0.mlp.fc1.weight"), "\(text)")
    #expect(text.contains("[32, 8]") && text.contains("[16, 8]"), "\(text)")
  }

  /// As many numbers in another arrangement are not a patch convolution.
  @Test func aTurnedPatchConvolutionIsRefused() throws {
    let folder = try EncoderFolder(.dinov2)
    let name = "embeddings.patch_embeddings.projection.weight"
    try folder.rewriteWeights { tensors in
      tensors[name] = .init(shape: [8, 2, 2, 3], values: try tensors[name]!.values)
    }
    let text = try #require(message { _ = try DINOv2(folder: folder.url) })
    #expect(text.contains(name) && text.contains("[8, 2, 2, 3]"), "\(text)")
  }

  /// A position table for another image size than the configuration's.
  @Test func aPositionTableOfAnotherSizeIsRefused() throws {
    let folder = try EncoderFolder(.dinov2)
    try folder.configure(["image_size": 8])
    let text = try #require(message { _ = try DINOv2(folder: folder.url) })
    #expect(text.contains("[1, 17, 8]") && text.contains("[1, 10, 8]"), "\(text)")
  }

  @Test func namesWithThePrefixOfALargerModelAreRead() throws {
    let folder = try EncoderFolder(.dinov2)
    let plain = try DINOv2(folder: folder.url)
    let prefixed = try EncoderFolder(.dinov2)
    try prefixed.rewriteWeights { tensors in
      tensors = Dictionary(uniqueKeysWithValues: tensors.map { ("dinov2." + $0.key, $0.value) })
    }
    let encoder = try DINOv2(folder: prefixed.url)
    for (a, b) in zip(plain.namedParameters, encoder.namedParameters) {
      #expect(a.parameter.value.values == b.parameter.value.values, "\(a.name)")
    }
  }

  /// Half-precision files give the numbers that they hold, widened.
  @Test(arguments: [WrittenTensor.Precision.float16, .bfloat16])
  func halfPrecision(_ precision: WrittenTensor.Precision) throws {
    let (half, whole) = (try EncoderFolder(.dinov2), try EncoderFolder(.dinov2))
    try half.rewriteWeights { tensors in
      tensors = try tensors.mapValues {
        .init(shape: $0.shape, values: try $0.values, precision: precision)
      }
    }
    try whole.rewriteWeights { tensors in
      tensors = try tensors.mapValues {
        .init(
          shape: $0.shape,
          values: try $0.values.map {
            precision == .float16 ? Float(Float16($0)) : BFloat16($0).float
          })
      }
    }
    let (a, b) = (try DINOv2(folder: half.url), try DINOv2(folder: whole.url))
    for (mine, other) in zip(a.namedParameters, b.namedParameters) {
      #expect(mine.parameter.value.values == other.parameter.value.values, "\(mine.name)")
    }
    let pixels = randomTensor([1, 3, 6, 6], seed: 1)
    let features = a.features(pixels, output: VisionOutput()).value
    #expect(features.values == b.features(pixels, output: VisionOutput()).value.values)
  }
}
