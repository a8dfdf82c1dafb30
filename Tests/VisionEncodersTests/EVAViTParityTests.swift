import Autograd
import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import VisionEncoders

/// EVA-CLIP's image encoder against the original code, read from files of either naming.
@Suite struct EVAViTParityTests {
  static let runs = GoldenRun.all(beginning: "eva-vit")

  enum Source: CaseIterable {
    /// The authors' names; the golden says the number of heads.
    case file
    /// The same under `visual_encoder.`, beside other parts of a model.
    case prefixedFile
    /// A public BLIP-2.
    case folder
  }

  @Test func goldensArePresent() {
    #expect(!Self.runs.isEmpty, "no eva-vit*/golden.safetensors in \(Goldens.folder.path)")
  }

  private func encoder(
    of run: GoldenRun, _ source: Source, in folder: TemporaryFolder
  ) throws -> any VisionEncoder {
    let golden = EVAGolden(folder: run.folder)
    let file = folder.url.appendingPathComponent("model.safetensors")
    switch source {
    case .file:
      try SafetensorsWriter.write(
        try golden.weights, metadata: try golden.golden.file.metadata, to: file)
      return try VisionEncoderFamily.encoder(at: file)
    case .prefixedFile:
      let weights = try golden.weights.map { ("visual_encoder." + $0.key, $0.value) }
      let other = SafetensorsWriter.Tensor(shape: [1, 1, 3], values: [1, 2, 3])
      try SafetensorsWriter.write(
        Dictionary(uniqueKeysWithValues: weights + [("query_tokens", other)]), to: file)
    case .folder:
      try SafetensorsWriter.write(try golden.publicWeights(prefix: "vision_model."), to: file)
      let whole: [String: Any] = [
        "model_type": "blip-2", "vision_config": try golden.publicConfiguration,
        "hidden_size": 7,
      ]
      try JSONSerialization.data(withJSONObject: whole)
        .write(to: folder.url.appendingPathComponent("config.json"))
      return try VisionEncoderFamily.encoder(at: folder.url)
    }
    return try VisionEncoderFamily.encoder(at: file, heads: try golden.sizes.numHeads)
  }

  @Test(arguments: runs, Source.allCases)
  func tokens(_ run: GoldenRun, _ source: Source) throws {
    let folder = try TemporaryFolder()
    let encoder = try encoder(of: run, source, in: folder)
    let sizes = try EVAGolden(folder: run.folder).sizes
    #expect(encoder.nativeImageSize == sizes.imgSize && encoder.patchSize == sizes.patchSize)
    #expect(encoder.layerCount == sizes.depth && encoder.width == sizes.embedDim)
    let features = encoder.features(try run.pixels, output: encoder.defaultOutput).value
    let expected = try #require(try run.output("tokens"))
    #expect(features.shape == expected.shape)
    #expect(difference(features, expected, relative: 1e-4) == nil)
  }

  @Test(arguments: runs)
  func blocks(_ run: GoldenRun) throws {
    let folder = try TemporaryFolder()
    let encoder = try encoder(of: run, .file, in: folder)
    guard try run.output("blocks/0") != nil else { return }
    for block in 0..<encoder.layerCount {
      let output = VisionOutput(layer: block + 1, appliesFinalNorm: false)
      let expected = try #require(try run.output("blocks/\(block)"))
      // The first block is a single output; further ones are deep chains.
      let text = difference(
        encoder.features(try run.pixels, output: output).value, expected,
        relative: block == 0 ? 1e-5 : 1e-4)
      #expect(text == nil, "block \(block)")
    }
  }

  /// Blocks of some run were compared: the test above cannot pass for want of them.
  @Test func blocksArePresent() throws {
    #expect(try Self.runs.contains { try $0.output("blocks/0") != nil })
  }

  @Test(arguments: runs)
  func resizedPositions(_ run: GoldenRun) throws {
    let folder = try TemporaryFolder()
    let encoder = try #require(try encoder(of: run, .file, in: folder) as? EVAViT)
    guard let expected = try run.output("pos_embed") else { return }
    let pixels = try run.pixels
    let table = encoder.embedding.positionTable(
      rows: pixels.shape[2] / encoder.patchSize, columns: pixels.shape[3] / encoder.patchSize)
    #expect(difference(table.value, expected, relative: 1e-5) == nil)
  }

  @Test func resizedPositionsArePresent() throws {
    #expect(try Self.runs.contains { try $0.output("pos_embed") != nil })
  }
}

/// Public BLIP-2 folders, whose norm after the encoder is BLIP-2's own.
@Suite struct BLIP2FolderTests {
  static let folders = Goldens.folders(beginning: "blip2-", with: "model.safetensors")

  @Test func goldensArePresent() {
    #expect(!Self.folders.isEmpty, "no blip2-*/model.safetensors in \(Goldens.folder.path)")
  }

  /// All tensors of the vision model but that norm have a place, and the numbers are theirs.
  @Test(arguments: folders)
  func everyTensorIsTaken(_ folder: URL) throws {
    let encoder = try VisionEncoderFamily.encoder(at: folder)
    let stored = try WeightFolder(folder)
    let taken = encoder.namedParameters.map { "vision_model." + encoder.publicName(of: $0.name) }
    #expect(
      Set(taken)
        == Set(stored.names.filter { $0.hasPrefix("vision_model.") })
        .subtracting(["vision_model.post_layernorm.weight", "vision_model.post_layernorm.bias"]))
    for (entry, name) in zip(encoder.namedParameters, taken) {
      #expect(entry.parameter.value.values == (try stored.tensor(named: name).floats()), "\(name)")
    }
  }

  /// The same weights in the authors' names give the same features; the bias of the keys, which
  /// these have no name for, changes nothing.
  @Test(arguments: folders)
  func theAuthorsNamesGiveTheSame(_ folder: URL) throws {
    let encoder = try #require(try VisionEncoderFamily.encoder(at: folder) as? EVAViT)
    let temporary = try TemporaryFolder()
    let file = temporary.url.appendingPathComponent("encoder.safetensors")
    try SafetensorsWriter.write(try authorsWeights(of: encoder), to: file)
    let other = try VisionEncoderFamily.encoder(at: file, heads: encoder.configuration.heads)
    #expect(other.layerCount == encoder.layerCount)
    let golden = try Golden(folder.appendingPathComponent("golden.safetensors"))
    let pixels = try golden.tensor("inputs/pixel_values")
    let text = difference(
      other.features(pixels, output: other.defaultOutput).value,
      encoder.features(pixels, output: encoder.defaultOutput).value, relative: 1e-5)
    #expect(text == nil)
  }

  private func authorsWeights(of encoder: EVAViT) throws -> EVAGolden.Weights {
    let replacements = [
      ("classToken", "cls_token"), ("positions", "pos_embed"),
      ("patchEmbedding", "patch_embed.proj"), (".qkv.weight", ".attn.qkv.weight"),
      (".output.", ".attn.proj."), (".inner.", ".mlp.fc1."), (".outer.", ".mlp.fc2."),
    ]
    var result: EVAGolden.Weights = [:]
    for entry in encoder.namedParameters {
      let values = entry.parameter.value.values
      if entry.name.hasSuffix(".qkv.bias") {
        let start = entry.name.dropLast("qkv.bias".count) + "attn."
        let third = values.count / 3
        result[start + "q_bias"] = .init(shape: [third], values: Array(values.prefix(third)))
        result[start + "v_bias"] = .init(shape: [third], values: Array(values.suffix(third)))
        continue
      }
      let name = replacements.reduce(entry.name) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
      result[name] = .init(
        shape: encoder.publicShape(of: entry.name, entry.parameter.shape), values: values)
    }
    return result
  }

  /// With the norm that the file holds, the features are the library's.
  @Test(arguments: folders)
  func featuresBeforeTheNorm(_ folder: URL) throws {
    let golden = try Golden(folder.appendingPathComponent("golden.safetensors"))
    let name = "outputs/vision_last_hidden"
    guard golden.names(under: name).contains(name) else { return }
    let encoder = try VisionEncoderFamily.encoder(at: folder)
    let features = encoder.features(
      try golden.tensor("inputs/pixel_values"), output: encoder.defaultOutput)
    let stored = try WeightFolder(folder)
    let norm = "vision_model.post_layernorm."
    let normalised = features.layerNormalised(
      gamma: Variable(try stored.tensor(named: norm + "weight").tensor()),
      beta: Variable(try stored.tensor(named: norm + "bias").tensor()), epsilon: 1e-6)
    #expect(difference(normalised.value, try golden.tensor(name), relative: 1e-4) == nil)
  }
}
