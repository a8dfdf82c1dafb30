import Autograd
import Foundation
import Tensors
import TestSupport
import Testing

@testable import VisionEncoders

/// DINOv2 against transformers, at the native size and at others.
@Suite struct DINOv2ParityTests {
  static let folders = Goldens.folders(beginning: "dinov2", with: "golden.safetensors")

  /// One run of a golden: `inputs/HxW/pixel_values` and what belongs to it.
  struct Run: CustomStringConvertible {
    let folder: URL
    let size: String
    var description: String { "\(folder.lastPathComponent) \(size)" }

    var golden: Golden {
      get throws { try Golden(folder.appendingPathComponent("golden.safetensors")) }
    }

    /// Height and width in pixels.
    var sides: (height: Int, width: Int) {
      let sides = size.split(separator: "x").compactMap { Int($0) }
      return (sides[0], sides[1])
    }
  }

  static let runs: [Run] = folders.flatMap { folder -> [Run] in
    let names =
      (try? Golden(folder.appendingPathComponent("golden.safetensors")))?
      .names(under: "inputs/") ?? []
    return names.filter { $0.hasSuffix("/pixel_values") }.map {
      Run(folder: folder, size: String($0.split(separator: "/")[1]))
    }
  }

  @Test func goldensArePresent() {
    #expect(!Self.runs.isEmpty, "no dinov2*/golden.safetensors in \(Goldens.folder.path)")
  }

  @Test(arguments: runs)
  func lastHiddenState(_ run: Run) throws {
    let (golden, encoder) = (try run.golden, try DINOv2(folder: run.folder))
    let pixels = try golden.tensor("inputs/\(run.size)/pixel_values")
    let features = encoder.features(pixels, output: VisionOutput()).value
    let expected = try golden.tensor("outputs/\(run.size)/last_hidden_state")
    #expect(features.shape == expected.shape)
    #expect(
      features.shape[1] == encoder.tokenCount(height: run.sides.height, width: run.sides.width))
    #expect(difference(features, expected, relative: 1e-4) == nil)
  }

  @Test(arguments: runs)
  func positions(_ run: Run) throws {
    let (golden, encoder) = (try run.golden, try DINOv2(folder: run.folder))
    let table = encoder.embedding.positionTable(
      rows: run.sides.height / encoder.patchSize, columns: run.sides.width / encoder.patchSize)
    let expected = try golden.tensor("outputs/\(run.size)/position_embeddings")
    #expect(difference(table.value, expected, relative: 1e-5) == nil)
  }

  @Test(arguments: runs)
  func hiddenStates(_ run: Run) throws {
    let (golden, encoder) = (try run.golden, try DINOv2(folder: run.folder))
    let prefix = "outputs/\(run.size)/hidden_states/"
    let names = golden.names(under: prefix)
    guard !names.isEmpty else { return }
    #expect(names.count == encoder.layerCount + 1)
    let pixels = try golden.tensor("inputs/\(run.size)/pixel_values")
    for layer in 0...encoder.layerCount {
      let output = VisionOutput(layer: layer, appliesFinalNorm: false)
      // Embeddings and the first block are single outputs; further blocks are deep chains.
      let text = difference(
        encoder.features(pixels, output: output).value, try golden.tensor(prefix + "\(layer)"),
        relative: layer < 2 ? 1e-5 : 1e-4)
      #expect(text == nil, "layer \(layer)")
    }
  }

  /// Hidden states of some run were compared: the test above cannot pass for want of them.
  @Test func hiddenStatesArePresent() throws {
    let withStates = try Self.runs.filter {
      try !$0.golden.names(under: "outputs/\($0.size)/hidden_states/").isEmpty
    }
    #expect(!withStates.isEmpty)
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

  /// Pictures of a batch do not see one another.
  @Test(arguments: runs)
  func aBatchIsItsPicturesOneByOne(_ run: Run) throws {
    let (golden, encoder) = (try run.golden, try DINOv2(folder: run.folder))
    let pixels = try golden.tensor("inputs/\(run.size)/pixel_values")
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
