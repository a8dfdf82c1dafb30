import Autograd
import Foundation
import Tensors
import TestSupport
import Testing

@testable import VisionEncoders

/// CLIP's image encoder against transformers.
@Suite struct CLIPViTParityTests {
  static let runs = GoldenRun.all(beginning: "clip-vision")

  @Test func goldensArePresent() {
    #expect(!Self.runs.isEmpty, "no clip-vision*/golden.safetensors in \(Goldens.folder.path)")
  }

  @Test(arguments: runs)
  func hiddenStates(_ run: GoldenRun) throws {
    let encoder = try CLIPViT(folder: run.folder)
    let pixels = try run.pixels
    for layer in 0...encoder.layerCount {
      let output = VisionOutput(layer: layer, appliesFinalNorm: false)
      let features = encoder.features(pixels, output: output).value
      let expected = try #require(try run.output("hidden_states/\(layer)"))
      #expect(features.shape == expected.shape)
      // Embeddings and the first block are single outputs; further blocks are deep chains.
      let text = difference(features, expected, relative: layer < 2 ? 1e-5 : 1e-4)
      #expect(text == nil, "layer \(layer)")
    }
  }

  /// By default the last block but one goes on, with no final norm.
  @Test(arguments: runs)
  func whatBLIP2Takes(_ run: GoldenRun) throws {
    let encoder = try VisionEncoderFamily.encoder(at: run.folder)
    let features = encoder.features(try run.pixels, output: encoder.defaultOutput).value
    let expected = try run.output("hidden_states/\(encoder.layerCount - 1)")
    #expect(difference(features, try #require(expected), relative: 1e-4) == nil)
  }

  @Test(arguments: runs)
  func lastHiddenState(_ run: GoldenRun) throws {
    let encoder = try CLIPViT(folder: run.folder)
    let features = encoder.features(
      try run.pixels, output: VisionOutput(appliesFinalNorm: false)
    ).value
    let expected = try #require(try run.output("last_hidden_state"))
    #expect(difference(features, expected, relative: 1e-4) == nil)
  }

  /// The library norms the class token alone.
  @Test(arguments: runs)
  func finalNorm(_ run: GoldenRun) throws {
    let encoder = try CLIPViT(folder: run.folder)
    let features = encoder.features(try run.pixels, output: VisionOutput()).value
    let expected = try #require(try run.output("pooler_output"))
    for image in 0..<features.shape[0] {
      let row = image * features.shape[1]
      let text = difference(
        features.rows(row..<row + 1), expected.rows(image..<image + 1), relative: 1e-4)
      #expect(text == nil, "image \(image)")
    }
  }

  /// On another grid the class position stays as it is.
  @Test(arguments: runs)
  func positionsOfAnotherGrid(_ run: GoldenRun) throws {
    let encoder = try CLIPViT(folder: run.folder)
    let own = encoder.embedding.positions.value
    let table = encoder.embedding.positionTable(rows: 3, columns: 5).value
    #expect(table.shape == [16, encoder.width])
    #expect(table.rows(0..<1).values == own.rows(0..<1).values)
    let height = 3 * encoder.patchSize
    let pixels = randomTensor([2, 3, height, 5 * encoder.patchSize], seed: 1)
    let features = encoder.features(pixels, output: encoder.defaultOutput).value
    #expect(features.shape == [2, 16, encoder.width])
    #expect(encoder.tokenCount(height: height, width: 5 * encoder.patchSize) == 16)
  }
}
