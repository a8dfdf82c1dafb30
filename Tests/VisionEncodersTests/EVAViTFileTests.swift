import Foundation
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import VisionEncoders

/// Files in the names of EVA's authors: what sizes are read from them, and which are refused.
@Suite struct EVAViTFileTests {
  typealias Weights = EVAGolden.Weights

  /// Weights of zeros, of the given sizes.
  private func weights(
    width: Int, blocks: Int, mlp: Int = 3, side: Int = 2, grid: Int = 2
  ) -> Weights {
    var result: Weights = [:]
    func add(_ name: String, _ shape: [Int]) {
      result[name] = .init(
        shape: shape, values: [Float](repeating: 0, count: shape.reduce(1, *)))
    }
    add("cls_token", [1, 1, width])
    add("pos_embed", [1, 1 + grid * grid, width])
    add("patch_embed.proj.weight", [width, 3, side, side])
    add("patch_embed.proj.bias", [width])
    for start in (0..<blocks).map({ "blocks.\($0)." }) {
      for norm in ["norm1", "norm2"] {
        add(start + norm + ".weight", [width])
        add(start + norm + ".bias", [width])
      }
      add(start + "attn.qkv.weight", [3 * width, width])
      for bias in ["attn.q_bias", "attn.v_bias", "attn.proj.bias", "mlp.fc2.bias"] {
        add(start + bias, [width])
      }
      add(start + "attn.proj.weight", [width, width])
      add(start + "mlp.fc1.weight", [mlp, width])
      add(start + "mlp.fc1.bias", [mlp])
      add(start + "mlp.fc2.weight", [width, mlp])
    }
    return result
  }

  private func encoder(
    _ weights: Weights, heads: Int? = nil, metadata: [String: String] = [:]
  ) throws -> EVAViT {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("encoder.safetensors")
    try SafetensorsWriter.write(weights, metadata: metadata, to: file)
    return try #require(try VisionEncoderFamily.encoder(at: file, heads: heads) as? EVAViT)
  }

  @Test func sizesAreThoseOfTheTensors() throws {
    let read = try encoder(weights(width: 12, blocks: 3, mlp: 7, side: 5, grid: 3), heads: 4)
    var expected = EVAViTConfiguration()
    (expected.width, expected.layers, expected.heads, expected.feedForwardWidth) = (12, 3, 4, 7)
    (expected.patchSize, expected.imageSize) = (5, 15)
    #expect(read.configuration == expected)
  }

  /// What is asked for comes before what the file says, and that before the usual 88.
  @Test func heads() throws {
    let config = ["config": #"{"num_heads": 4, "layer_norm_eps": 1e-05}"#]
    let wide = weights(width: 176, blocks: 1)
    #expect(try encoder(wide).configuration.heads == 2)
    #expect(try encoder(wide, metadata: config).configuration.heads == 4)
    #expect(try encoder(wide, metadata: config).configuration.layerNormEpsilon == 1e-5)
    #expect(try encoder(wide, heads: 8, metadata: config).configuration.heads == 8)
    #expect(try encoder(wide, metadata: ["config": "{}"]).configuration.heads == 2)
    let narrow = weights(width: 12, blocks: 1)
    #expect(try encoder(narrow, metadata: config).configuration.heads == 4)
    let unknown = message { _ = try encoder(narrow) }
    #expect(unknown?.contains("set vision.heads") == true, "\(unknown ?? "nothing")")
    for wrong in [0, -1, 5, .max] {
      let text = message { _ = try encoder(narrow, heads: wrong) }
      #expect(text?.contains("num_attention_heads") == true, "\(wrong): \(text ?? "nothing")")
    }
  }

  @Test(arguments: [
    "", "null", "[]", "{", #"{"num_heads": "four"}"#, #"{"num_heads": 1e30}"#,
    #"{"num_heads": -4}"#, #"{"num_heads": 0}"#, #"{"num_heads": 5}"#,
    #"{"layer_norm_eps": 0, "num_heads": 4}"#,
    String(repeating: #"{"a":"#, count: 10_000) + "1" + String(repeating: "}", count: 10_000),
  ])
  func damagedMetadata(_ text: String) {
    let narrow = weights(width: 12, blocks: 1)
    #expect(throws: ModelConfigurationError.self) {
      _ = try encoder(narrow, metadata: ["config": text])
    }
  }

  /// EVA's published ViT-g has 40 blocks, of which BLIP-2 leaves the last out.
  @Test func theFortiethBlockOfViTgIsLeftOut() throws {
    // Sizes alone: weights of that width would take gigabytes.
    func layers(width: Int, blocks: Int) throws -> Int {
      var tensors = weights(width: 1, blocks: 0)
      tensors["cls_token"] = .init(
        shape: [1, 1, width], values: [Float](repeating: 0, count: width))
      for block in 0..<blocks {
        tensors["blocks.\(block).mlp.fc1.weight"] = .init(shape: [1, 1], values: [0])
      }
      let folder = try TemporaryFolder()
      let file = folder.url.appendingPathComponent("encoder.safetensors")
      try SafetensorsWriter.write(tensors, to: file)
      return try EVAViTFileSizes(WeightFolder(file)).configuration(heads: nil).layers
    }
    #expect(try layers(width: 1408, blocks: 40) == 39)
    #expect(try layers(width: 1408, blocks: 39) == 39)
    #expect(try layers(width: 1408, blocks: 41) == 41)
    #expect(try layers(width: 88, blocks: 40) == 40)
  }

  @Test func missingTensorsAreNamed() throws {
    let whole = weights(width: 12, blocks: 2)
    for name in whole.keys.sorted() {
      var others = whole
      others[name] = nil
      let text = try #require(message { _ = try encoder(others, heads: 4) })
      #expect(text.contains(name), "\(name): \(text)")
      #expect(text.contains("encoder.safetensors"), "\(text)")
    }
  }

  /// Every tensor with one more place along its last axis is refused; where the size is read from
  /// that tensor, it is the others that no longer fit.
  @Test func otherShapesAreNamedBesideTheRightOnes() throws {
    let whole = weights(width: 12, blocks: 2)
    for name in whole.keys.sorted() {
      var others = whole
      var shape = whole[name]!.shape
      shape[shape.count - 1] += 1
      others[name] = .init(
        shape: shape, values: [Float](repeating: 0, count: shape.reduce(1, *)))
      let text = try #require(message { _ = try encoder(others, heads: 1) })
      #expect(text.contains("expected") && text.contains("found ["), "\(name): \(text)")
      if !["cls_token"].contains(name) { #expect(text.contains(name), "\(name): \(text)") }
    }
  }

  @Test(arguments: [
    ("cls_token", [12]), ("cls_token", [1, 12, 1, 1]), ("cls_token", [1, 1, 0]),
    ("pos_embed", [1, 6, 12]), ("pos_embed", [5, 12]), ("pos_embed", [1, 1, 12]),
    ("pos_embed", [1, 0, 12]), ("patch_embed.proj.weight", [12, 1, 2, 2]),
    ("patch_embed.proj.weight", [12, 3, 2, 3]), ("patch_embed.proj.weight", [12, 12]),
    ("patch_embed.proj.weight", [12, 3, 0, 0]), ("blocks.0.mlp.fc1.weight", [3]),
    ("blocks.0.mlp.fc1.weight", [0, 12]),
  ])
  func shapesThatGiveNoSize(_ name: String, shape: [Int]) throws {
    var tensors = weights(width: 12, blocks: 1)
    tensors[name] = .init(
      shape: shape, values: [Float](repeating: 0, count: shape.reduce(1, *)))
    let text = try #require(message { _ = try encoder(tensors, heads: 4) })
    #expect(text.contains("tensor \(name): expected ["), "\(text)")
    #expect(text.contains("found \(shape)"), "\(text)")
  }

  /// A number of blocks far beyond any model is refused before anything is made of it.
  @Test(arguments: ["512", "9223372036854775807", "4294967296"])
  func hugeBlockNumbers(_ number: String) throws {
    var tensors = weights(width: 12, blocks: 1)
    tensors["blocks.\(number).norm1.weight"] = .init(shape: [1], values: [0])
    let text = message { _ = try encoder(tensors, heads: 4) }
    #expect(text?.contains("expected 1 to 512 blocks") == true, "\(text ?? "nothing")")
  }

  @Test func aHoleAmongTheBlocksIsNamed() throws {
    var tensors = weights(width: 12, blocks: 3)
    tensors = tensors.filter { !$0.key.hasPrefix("blocks.1.") }
    let text = message { _ = try encoder(tensors, heads: 4) }
    #expect(text?.contains("tensor blocks.1.norm1.weight") == true, "\(text ?? "nothing")")
  }

  @Test(arguments: [
    ("rope.freqs_cos", "rotary positions (EVA-02)"), ("blocks.0.mlp.w1.weight", "SwiGLU (EVA-02)"),
    ("blocks.0.attn.q_proj.weight", "separate queries and keys (EVA-02)"),
    ("blocks.0.attn.inner_attn_ln.weight", "a norm within the attention"),
    ("blocks.0.mlp.ffn_ln.weight", "a norm within the feed-forward"),
    ("blocks.0.gamma_1", "LayerScale"), ("rel_pos_bias.relative_position_bias_table", "BEiT"),
    ("blocks.0.ls1.gamma", "DINOv2"),
  ])
  func variantsAreNamed(_ name: String, variant: String) throws {
    var tensors = weights(width: 12, blocks: 1)
    tensors[name] = .init(shape: [1], values: [0])
    let text = try #require(message { _ = try encoder(tensors, heads: 4) })
    #expect(text.contains(name) && text.contains(variant), "\(text)")
  }

  @Test func filesOfOtherFamilies() throws {
    for kind in [TinyEncoder.dinov2, .clip] {
      let other = try EncoderFolder(kind)
      let text = message { _ = try VisionEncoderFamily.encoder(at: other.weights) }
      #expect(text?.contains("tensor cls_token: not in \(other.weights.path)") == true)
    }
    let folder = try TemporaryFolder()
    let text = try folder.write("not weights", to: "encoder.pth")
    #expect(throws: WeightFileError.self) { _ = try VisionEncoderFamily.encoder(at: text) }
  }

  /// OpenAI's files of CLIP have `visual.` before their names, as EVA-CLIP's have.
  @Test(arguments: ["visual.class_embedding", "visual.conv1.weight", "class_embedding"])
  func openAINamesAreNamed(_ name: String) throws {
    let other = WrittenTensor(shape: [1], values: [0])
    let text = try #require(message { _ = try encoder([name: other, "visual.proj": other]) })
    #expect(text.contains("tensor \(name): expected the names of EVA's authors"), "\(text)")
    #expect(text.contains("OpenAI's CLIP") && text.contains("set vision.path"), "\(text)")
    // Beside a whole encoder such a name is somebody else's.
    var whole = weights(width: 12, blocks: 1)
    whole[name] = other
    #expect(try encoder(whole, heads: 4).configuration.layers == 1)
  }

  @Test(arguments: ["visual_encoder.", "visual.", ""])
  func prefixes(_ prefix: String) throws {
    let named = weights(width: 12, blocks: 2).map { (prefix + $0.key, $0.value) }
    var whole = Dictionary(uniqueKeysWithValues: named)
    // Parts of a whole model that are none of the encoder's.
    whole["text.positional_embedding"] = .init(shape: [1], values: [0])
    whole[prefix + "norm.weight"] = .init(shape: [12], values: [Float](repeating: 0, count: 12))
    #expect(try encoder(whole, heads: 4).configuration.layers == 2)
    whole[prefix + "pos_embed"] = nil
    let text = message { _ = try encoder(whole, heads: 4) }
    #expect(text?.contains("tensor \(prefix)pos_embed: not in") == true, "\(text ?? "nothing")")
    whole[prefix + "cls_token"] = nil
    let other = message { _ = try encoder(whole, heads: 4) }
    #expect(other?.contains("tensor \(prefix)cls_token: not in") == true, "\(other ?? "nothing")")
  }

  @Test(arguments: [
    ("hidden_act", "quick_gelu" as Any, "hidden_act: expected gelu, found quick_gelu"),
    ("hidden_act", "swiglu", "hidden_act: expected gelu, found swiglu (not supported)"),
    ("qkv_bias", false, "qkv_bias: expected true, found false"),
    ("hidden_size", 0, "hidden_size: expected 1 to"),
    ("num_attention_heads", 5, "5 does not divide 8"),
    ("intermediate_size", 96, "encoder.layers.0.mlp.fc1.weight: expected [96, 8], found [11, 8]"),
    ("num_hidden_layers", 3, "vision_model.encoder.layers.2.layer_norm1.weight: not in"),
    ("hidden_size", 64, "vision_model.embeddings.class_embedding: expected [1, 1, 64]"),
  ])
  func foldersThatDoNotFit(_ key: String, value: Any, words: String) throws {
    let folder = try EncoderFolder(.eva)
    try folder.putIntoWholeModel("blip-2")
    #expect(try VisionEncoderFamily.encoder(at: folder.url) is EVAViT)
    try folder.configure([key: value], in: "vision_config")
    let text = try #require(message { _ = try VisionEncoderFamily.encoder(at: folder.url) })
    #expect(text.contains(words), "\(text)")
  }
}
