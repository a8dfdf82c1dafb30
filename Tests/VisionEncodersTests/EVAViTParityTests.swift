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
    /// A checkpoint of `torch.save` with the model under `model`, its names under `visual.`.
    case torchFile
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
      let other = WrittenTensor(shape: [1, 1, 3], values: [1, 2, 3])
      try SafetensorsWriter.write(
        Dictionary(uniqueKeysWithValues: weights + [("query_tokens", other)]), to: file)
    case .torchFile:
      let weights = try golden.weights.map { ("visual." + $0.key, $0.value) }
      let checkpoint = try torchFile(model: Dictionary(uniqueKeysWithValues: weights))
      return try VisionEncoderFamily.encoder(
        at: folder.replace("model.pth", with: checkpoint.file), heads: golden.sizes.numHeads)
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
    guard let expected = try run.output("tokens") else { return }
    let folder = try TemporaryFolder()
    let encoder = try encoder(of: run, source, in: folder)
    let sizes = try EVAGolden(folder: run.folder).sizes
    #expect(encoder.nativeImageSize == sizes.imgSize && encoder.patchSize == sizes.patchSize)
    #expect(encoder.layerCount == sizes.depth && encoder.width == sizes.embedDim)
    let features = encoder.features(try run.pixels, output: encoder.wholeOutput).value
    #expect(features.shape == expected.shape)
    #expect(difference(features, expected, relative: 1e-4) == nil)
  }

  @Test(arguments: runs)
  func blocks(_ run: GoldenRun) throws {
    let folder = try TemporaryFolder()
    let encoder = try encoder(of: run, .file, in: folder)
    for block in try run.numbers(of: "blocks") {
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
    let all = try Self.runs.map { run in
      try run.numbers(of: "blocks") == Array(0..<EVAGolden(folder: run.folder).sizes.depth)
    }
    #expect(all.contains(true))
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

  @Test(arguments: ["tokens", "pos_embed"])
  func outputsArePresent(_ name: String) throws {
    #expect(try Self.runs.contains { try $0.output(name) != nil })
  }
}
