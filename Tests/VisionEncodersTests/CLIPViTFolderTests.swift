import Foundation
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import VisionEncoders

/// CLIP's folders in their several forms, and those that are refused.
@Suite struct CLIPViTFolderTests {
  private func parametersAreEqual(_ a: any VisionEncoder, _ b: any VisionEncoder) -> Bool {
    zip(a.namedParameters, b.namedParameters).allSatisfy {
      $0.name == $1.name && $0.parameter.value.values == $1.parameter.value.values
    }
  }

  @Test func publicFilesHaveAPrefix() throws {
    let prefixed = try EncoderFolder(.clip)
    try prefixed.rewriteWeights { tensors in
      // Of `CLIPVisionModelWithProjection`.
      tensors["visual_projection.weight"] = .init(shape: [2, 2], values: [1, 2, 3, 4])
    }
    // Newer releases of the library leave it out.
    let plain = try EncoderFolder(.clip)
    try plain.rewriteWeights { tensors in
      tensors = Dictionary(
        uniqueKeysWithValues: tensors.map {
          (String($0.key.dropFirst(EncoderFolder.prefix.count)), $0.value)
        })
    }
    let made = TinyEncoder.clip.made
    #expect(parametersAreEqual(try CLIPViT(folder: prefixed.url), made))
    #expect(parametersAreEqual(try CLIPViT(folder: plain.url), made))
  }

  /// A `clip` folder has its sizes in `vision_config`, and a text encoder with names like ours.
  @Test func wholeModels() throws {
    let whole = try EncoderFolder(.clip)
    try whole.putIntoWholeModel("clip")
    try whole.rewriteWeights { tensors in
      for name in Array(tensors.keys) {
        let bare = name.dropFirst(EncoderFolder.prefix.count)
        tensors["text_model." + bare] = .init(shape: [1], values: [0])
      }
      tensors["logit_scale"] = .init(shape: [], values: [2])
    }
    let encoder = try VisionEncoderFamily.encoder(at: whole.url)
    #expect(encoder is CLIPViT)
    #expect(parametersAreEqual(encoder, TinyEncoder.clip.made))
    try whole.configure(["vision_config": nil])
    let text = message { _ = try VisionEncoderFamily.encoder(at: whole.url) }
    #expect(text?.contains("vision_config: missing") == true)
  }

  /// Keys that newer configurations leave out are the library's usual ones.
  @Test func missingKeysAreTheLibrarys() throws {
    let folder = try EncoderFolder(.clip)
    try folder.folder.write(#"{"model_type": "clip_vision_model"}"#, to: "config.json")
    let text = try #require(message { _ = try CLIPViT(folder: folder.url) })
    #expect(text.contains("[768]") && text.contains("[8]"), "\(text)")
    #expect(text.contains("embeddings.class_embedding"), "\(text)")
    let sizes = try ModelConfigurationFile(folder.url.appendingPathComponent("config.json"))
      .decoded(CLIPViTConfiguration.self)
    #expect(sizes == CLIPViTConfiguration() && sizes.activation == .quickGELU)
  }

  @Test func theExactGELUIsAnother() throws {
    let (quick, exact) = (try EncoderFolder(.clip), try EncoderFolder(.clip))
    try exact.configure(["hidden_act": "gelu"])
    let (a, b) = (try CLIPViT(folder: quick.url), try CLIPViT(folder: exact.url))
    #expect(b.configuration.activation == .gelu)
    let pixels = randomTensor([1, 3, a.nativeImageSize, a.nativeImageSize], seed: 1)
    let features = a.features(pixels, output: a.wholeOutput).value
    let others = b.features(pixels, output: b.wholeOutput).value
    #expect(difference(features, others, relative: 1e-4) != nil)
  }

  @Test(arguments: [
    ("hidden_act", "relu", "hidden_act: expected gelu or quick_gelu, found relu"),
    ("hidden_size", "0", "hidden_size: expected 1 to"),
    ("num_channels", "1", "num_channels: expected 3, found 1"),
    ("intermediate_size", "1e30", "intermediate_size: expected 1 to"),
    ("num_attention_heads", "5", "num_attention_heads: 5 does not divide 8"),
    ("patch_size", "7", "image_size: 6 is less than a patch of 7"),
    ("num_hidden_layers", "2.5", "num_hidden_layers: expected a whole number"),
    ("layer_norm_eps", "0", "layer_norm_eps"),
  ])
  func badConfiguration(_ key: String, value: String, words: String) throws {
    let folder = try EncoderFolder(.clip)
    try folder.configure([key: Double(value) ?? value])
    let text = try #require(message { _ = try VisionEncoderFamily.encoder(at: folder.url) })
    #expect(text.contains(words) && text.contains("config.json"), "\(text)")
  }

  @Test func weightsOfAnotherFamily() throws {
    let folder = try EncoderFolder(.clip)
    let other = try EncoderFolder(.dinov2)
    try FileManager.default.removeItem(at: folder.weights)
    try withExtendedLifetime(other) {
      try FileManager.default.copyItem(at: other.weights, to: folder.weights)
    }
    let text = try #require(message { _ = try CLIPViT(folder: folder.url) })
    #expect(text.contains("vision_model.embeddings.class_embedding"), "\(text)")
    #expect(text.contains(folder.url.path), "\(text)")
  }

  @Test func aMissingTensorIsNamed() throws {
    let folder = try EncoderFolder(.clip)
    let name = "vision_model.encoder.layers.1.self_attn.v_proj.bias"
    try folder.rewriteWeights { $0[name] = nil }
    let text = message { _ = try CLIPViT(folder: folder.url) }
    #expect(text?.contains(name) == true && text?.contains(folder.url.path) == true)
  }

  /// Both shapes are those that files have, not ours.
  @Test(arguments: [
    ("image_size", 4, "embeddings.position_embedding.weight", [5, 8], [10, 8]),
    ("patch_size", 3, "embeddings.position_embedding.weight", [5, 8], [10, 8]),
    ("intermediate_size", 96, "encoder.layers.0.mlp.fc1.weight", [96, 8], [12, 8]),
  ])
  func aWrongShapeIsNamedBesideTheRightOne(
    _ key: String, value: Int, tensor: String, expected: [Int], found: [Int]
  ) throws {
    let folder = try EncoderFolder(.clip)
    try folder.configure([key: value])
    let text = try #require(message { _ = try CLIPViT(folder: folder.url) })
    #expect(
      text.contains("tensor vision_model.\(tensor): expected \(expected), found \(found)"),
      "\(text)")
  }

  @Test func aTurnedPatchConvolutionIsRefused() throws {
    let folder = try EncoderFolder(.clip)
    let name = "vision_model.embeddings.patch_embedding.weight"
    try folder.rewriteWeights { tensors in
      tensors[name] = .init(shape: [8, 2, 2, 3], values: try tensors[name]!.values)
    }
    let text = try #require(message { _ = try CLIPViT(folder: folder.url) })
    #expect(text.contains("expected [8, 3, 2, 2], found [8, 2, 2, 3]"), "\(text)")
  }
}
