import Autograd
import Foundation
import Tensors
import TestSupport
import Testing

@testable import VisionEncoders

/// DINOv2 against transformers, at the native size and at others.
@Suite struct DINOv2ParityTests {
  static let folders = Goldens.folders(beginning: "dinov2", with: "golden.safetensors")

  static let runs = GoldenRun.all(beginning: "dinov2")

  @Test func goldensArePresent() {
    #expect(!Self.runs.isEmpty, "no dinov2*/golden.safetensors in \(Goldens.folder.path)")
  }

  @Test(arguments: runs)
  func lastHiddenState(_ run: GoldenRun) throws {
    guard let expected = try run.output("last_hidden_state") else { return }
    let (pixels, encoder) = (try run.pixels, try DINOv2(folder: run.folder))
    let features = encoder.features(pixels, output: VisionOutput()).value
    #expect(features.shape == expected.shape)
    #expect(
      features.shape[1] == encoder.tokenCount(height: pixels.shape[2], width: pixels.shape[3]))
    #expect(difference(features, expected, relative: 1e-4) == nil)
  }

  @Test(arguments: runs)
  func positions(_ run: GoldenRun) throws {
    guard let expected = try run.output("position_embeddings") else { return }
    let (pixels, encoder) = (try run.pixels, try DINOv2(folder: run.folder))
    let table = encoder.embedding.positionTable(
      rows: pixels.shape[2] / encoder.patchSize, columns: pixels.shape[3] / encoder.patchSize)
    #expect(difference(table.value, expected, relative: 1e-5) == nil)
  }

  @Test(arguments: runs)
  func hiddenStates(_ run: GoldenRun) throws {
    let (pixels, encoder) = (try run.pixels, try DINOv2(folder: run.folder))
    for layer in try run.numbers(of: "hidden_states") {
      let output = VisionOutput(layer: layer, appliesFinalNorm: false)
      let expected = try #require(try run.output("hidden_states/\(layer)"))
      // Embeddings and the first block are single outputs; further blocks are deep chains.
      let text = difference(
        encoder.features(pixels, output: output).value, expected,
        relative: layer < 2 ? 1e-5 : 1e-4)
      #expect(text == nil, "layer \(layer)")
    }
  }

  /// Each kind of output was compared in some run: no test above passes for want of it.
  @Test(arguments: ["last_hidden_state", "position_embeddings"])
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

  @Test(arguments: folders)
  func theFamilyIsFoundByItsModelType(_ folder: URL) throws {
    let encoder = try VisionEncoderFamily.encoder(folder: folder)
    let direct = try DINOv2(folder: folder)
    #expect((encoder as? DINOv2)?.configuration == direct.configuration)
    #expect(encoder.width == direct.width && encoder.patchSize == direct.patchSize)
    #expect(encoder.layerCount == direct.layerCount)
    #expect(encoder.nativeImageSize == direct.configuration.imageSize)
  }

  /// Images of a batch do not see one another.
  @Test(arguments: runs)
  func aBatchIsItsImagesOneByOne(_ run: GoldenRun) throws {
    let (pixels, encoder) = (try run.pixels, try DINOv2(folder: run.folder))
    let together = encoder.features(pixels, output: VisionOutput()).value
    let tokens = together.shape[1]
    for image in 0..<pixels.shape[0] {
      let rows = pixels.shape[1] * pixels.shape[2]
      let one = pixels.rows(image * rows..<(image + 1) * rows).reshaped([1] + pixels.shape[1...])
      let alone = encoder.features(one, output: VisionOutput()).value
      let text = difference(
        alone, together.rows(image * tokens..<(image + 1) * tokens), relative: 1e-5)
      #expect(text == nil)
    }
  }
}
