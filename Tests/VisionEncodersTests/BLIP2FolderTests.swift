import Autograd
import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import VisionEncoders

/// Public BLIP-2 folders, whose norm after the encoder is BLIP-2's own.
@Suite struct BLIP2FolderTests {
  static let folders = Goldens.folders(beginning: "blip2-", with: "model.safetensors")

  @Test func goldensArePresent() {
    #expect(!Self.folders.isEmpty, "no blip2-*/model.safetensors in \(Goldens.folder.path)")
  }

  /// What stands before the encoder's names.
  private func prefix(of stored: WeightFolder) -> String {
    stored.names.contains { $0.hasPrefix(EncoderFolder.prefix) } ? EncoderFolder.prefix : ""
  }

  /// All tensors of the vision model but that norm have a place, and the numbers are theirs.
  @Test(arguments: folders)
  func everyTensorIsTaken(_ folder: URL) throws {
    let encoder = try VisionEncoderFamily.encoder(at: folder)
    let stored = try WeightFolder(folder)
    let prefix = prefix(of: stored)
    let taken = encoder.namedParameters.map {
      prefix + encoder.publicFormat.publicName(of: $0.name)
    }
    #expect(
      Set(taken)
        == Set(stored.names.filter { $0.hasPrefix(prefix) })
        .subtracting([prefix + "post_layernorm.weight", prefix + "post_layernorm.bias"]))
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
    try SafetensorsWriter.write(EVAGolden.authorsWeights(of: encoder), to: file)
    let other = try VisionEncoderFamily.encoder(at: file, heads: encoder.configuration.heads)
    #expect(other.layerCount == encoder.layerCount)
    let side = encoder.nativeImageSize
    let pixels = randomTensor([2, 3, side, side], seed: 1)
    let text = difference(
      other.features(pixels, output: other.wholeOutput).value,
      encoder.features(pixels, output: encoder.wholeOutput).value, relative: 1e-5)
    #expect(text == nil)
  }

  static let runs = GoldenRun.all(beginning: "blip2-")

  /// With the norm that the file holds, the features are the library's.
  @Test(arguments: runs)
  func featuresBeforeTheNorm(_ run: GoldenRun) throws {
    guard let expected = try run.output("vision_last_hidden") else { return }
    let encoder = try #require(try VisionEncoderFamily.encoder(at: run.folder) as? EVAViT)
    let features = encoder.features(try run.pixels, output: encoder.wholeOutput)
    let stored = try WeightFolder(run.folder)
    let norm = prefix(of: stored) + "post_layernorm."
    let normalised = features.layerNormalised(
      gamma: Variable(try stored.tensor(named: norm + "weight").tensor()),
      beta: Variable(try stored.tensor(named: norm + "bias").tensor()),
      epsilon: encoder.configuration.layerNormEpsilon)
    #expect(difference(normalised.value, expected, relative: 1e-4) == nil)
  }

  @Test func featuresArePresent() throws {
    #expect(try Self.runs.contains { try $0.output("vision_last_hidden") != nil })
  }
}
