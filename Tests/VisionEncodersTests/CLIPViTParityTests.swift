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
    for layer in try run.numbers(of: "hidden_states") {
      let output = VisionOutput(layer: layer, appliesFinalNorm: false)
      let features = encoder.features(pixels, output: output).value
      let expected = try #require(try run.output("hidden_states/\(layer)"))
      #expect(features.shape == expected.shape)
      // Embeddings and the first block are single outputs; further blocks are deep chains.
      let text = difference(features, expected, relative: layer < 2 ? 1e-5 : 1e-4)
      #expect(text == nil, "layer \(layer)")
    }
  }

  /// The last block but one, with no final norm.
  @Test(arguments: runs)
  func whatBLIP2Takes(_ run: GoldenRun) throws {
    let encoder = try VisionEncoderFamily.encoder(at: run.folder)
    guard let expected = try run.output("hidden_states/\(encoder.layerCount - 1)") else { return }
    let features = encoder.features(
      try run.pixels, output: VisionOutput(layer: encoder.layerCount - 1, appliesFinalNorm: false)
    ).value
    #expect(difference(features, expected, relative: 1e-4) == nil)
  }

  @Test(arguments: runs)
  func lastHiddenState(_ run: GoldenRun) throws {
    guard let expected = try run.output("last_hidden_state") else { return }
    let encoder = try CLIPViT(folder: run.folder)
    let features = encoder.features(
      try run.pixels, output: VisionOutput(appliesFinalNorm: false)
    ).value
    #expect(difference(features, expected, relative: 1e-4) == nil)
  }

  /// The library norms the class token alone.
  @Test(arguments: runs)
  func finalNorm(_ run: GoldenRun) throws {
    guard let expected = try run.output("pooler_output") else { return }
    let encoder = try CLIPViT(folder: run.folder)
    let features = encoder.features(try run.pixels, output: VisionOutput()).value
    for image in 0..<features.shape[0] {
      let row = image * features.shape[1]
      let text = difference(
        features.rows(row..<row + 1), expected.rows(image..<image + 1), relative: 1e-4)
      #expect(text == nil, "image \(image)")
    }
  }

  /// Each kind of output was compared in some run: no test above passes for want of it.
  @Test(arguments: ["last_hidden_state", "pooler_output"])
  func outputsArePresent(_ name: String) throws {
    #expect(try Self.runs.contains { try $0.output(name) != nil })
  }

  @Test func hiddenStatesArePresent() throws {
    let all = try Self.runs.map { run in
      let layers = try VisionEncoderFamily.encoder(at: run.folder).layerCount
      return try run.numbers(of: "hidden_states") == Array(0...layers)
    }
    #expect(all.contains(true))
  }
}
