import Configuration
import Datasets
import Foundation
import Tensors
import TestSupport
import Testing
import VisionEncoders
import WeightFiles

@testable import Recipes

/// What a run makes of the keys under `vision` for each family of encoders.
@Suite struct VisionTowerTests {
  private func configuration(_ path: URL) -> VisionConfiguration {
    var configuration = VisionConfiguration()
    configuration.path = path.path
    return configuration
  }

  /// The first golden whose folder's name begins so and that has a file.
  private func golden(_ prefix: String, with file: String = "config.json") throws -> URL {
    try #require(Goldens.folders(beginning: prefix, with: file).first)
  }

  private func evaGolden() throws -> Golden {
    let folder = try golden("eva-vit", with: "golden.safetensors")
    return try Golden(folder.appendingPathComponent("golden.safetensors"))
  }

  /// The golden of EVA's encoder as a file in its authors' names.
  private func evaFile(in folder: TemporaryFolder) throws -> URL {
    let golden = try evaGolden()
    var tensors: [String: WrittenTensor] = [:]
    for name in golden.names(under: "weights/") {
      let stored = try golden.file.tensor(named: name)
      tensors[String(name.dropFirst("weights/".count))] = .init(
        shape: stored.shape, values: try stored.floats())
    }
    let file = folder.url.appendingPathComponent("eva.safetensors")
    try SafetensorsWriter.write(tensors, to: file)
    return file
  }

  @Test func outputsAndNormalisationAreTheFamilys() throws {
    let clip = try VisionTower(configuration(golden("clip-vision")), seed: 1)
    #expect(
      clip.output
        == VisionOutput(layer: clip.encoder.layerCount - 1, appliesFinalNorm: false))
    #expect(clip.normalization.mean.x == PixelNormalisation.clip.mean[0])
    let dinov2 = try VisionTower(configuration(golden("dinov2")), seed: 1)
    #expect(dinov2.output == VisionOutput(appliesFinalNorm: true))
    #expect(dinov2.normalization.mean.x == PixelNormalisation.imageNet.mean[0])
    let blip2 = try VisionTower(configuration(golden("blip2-")), seed: 1)
    #expect(blip2.output == VisionOutput(appliesFinalNorm: false))
    #expect(blip2.normalization.mean.x == PixelNormalisation.clip.mean[0])
  }

  /// The encoder's own precision comes before the run's.
  @Test func precisionIsTheRunsOrItsOwn() throws {
    var configuration = configuration(try golden("dinov2"))
    #expect(try VisionTower(configuration, seed: 1, in: .bfloat16).precision == .bfloat16)
    configuration.precision = .int8
    let tower = try VisionTower(configuration, seed: 1, in: .bfloat16)
    #expect(tower.precision == .int8 && tower.summary.hasPrefix("int8, "))
    configuration.precision = .float32
    let exact = try VisionTower(configuration, seed: 1, in: .bfloat16)
    let side = tower.imageSize
    let pixels = randomTensor([2, 3, side, side], seed: 1)
    let (rounded, plain) = (tower.features(pixels).value, exact.features(pixels).value)
    #expect(rounded.values != plain.values)
    #expect(difference(rounded, plain, relative: 0.1) == nil)
  }

  @Test func chosenOutputsComeFirst() throws {
    var configuration = configuration(try golden("clip-vision"))
    configuration.layer = 1
    configuration.finalNorm = true
    let tower = try VisionTower(configuration, seed: 1)
    #expect(tower.output == VisionOutput(layer: 1, appliesFinalNorm: true))
  }

  @Test func aNormThatIsNotThereIsRefused() throws {
    var configuration = configuration(try golden("blip2-"))
    configuration.finalNorm = true
    #expect(
      throws: ConfigurationError.invalidValue(
        field: "vision.finalNorm", found: "true", expected: "false or null",
        advice: "this encoder has no norm after its last block")
    ) { _ = try VisionTower(configuration, seed: 1) }
  }

  /// A file's digest, and the number of heads that it is read with, are held to the checkpoint.
  @Test func files() throws {
    let folder = try TemporaryFolder()
    var configuration = configuration(try evaFile(in: folder))
    let golden = try evaGolden()
    let heads = try golden.configuration(Sizes.self).numHeads
    configuration.heads = heads
    let own = try VisionTower(configuration, seed: 1)
    let features = own.features(try golden.tensor("inputs/pixel_values")).value
    #expect(difference(features, try golden.tensor("outputs/tokens"), relative: 1e-4) == nil)
    // These divide every width.
    configuration.heads = heads == 1 ? own.encoder.width : 1
    let other = try VisionTower(configuration, seed: 1)
    #expect(own.fingerprint != nil && own.fingerprint != other.fingerprint)
  }

  private struct Sizes: Decodable {
    let numHeads: Int
  }

  /// An encoder's own size may leave rows and columns over that no patch covers; a chosen size may
  /// not.
  @Test func sizesThatPatchesDoNotFill() throws {
    var configuration = VisionConfiguration()
    configuration.frozen = false
    (configuration.new.width, configuration.new.layers, configuration.new.heads) = (8, 1, 2)
    (configuration.new.patchSize, configuration.new.imageSize) = (4, 30)
    let tower = try VisionTower(configuration, seed: 1)
    #expect(tower.imageSize == 30 && tower.tokenCount == 50)
    #expect(tower.features(randomTensor([2, 3, 30, 30], seed: 1)).shape == [2, 50, 8])
    for side in [28, 30] {
      configuration.imageSize = side
      #expect(try VisionTower(configuration, seed: 1).tokenCount == 50)
    }
    for side in [3, 31, 8196] {
      configuration.imageSize = side
      #expect(throws: ConfigurationError.self) { _ = try VisionTower(configuration, seed: 1) }
    }
  }

  /// The start of the table of positions and of the weights, in each family of new encoders.
  @Test(arguments: VisionConfiguration.NewEncoder.Family.allCases)
  func startsOfNewEncoders(_ family: VisionConfiguration.NewEncoder.Family) throws {
    var configuration = VisionConfiguration()
    configuration.frozen = false
    configuration.new.family = family
    (configuration.new.width, configuration.new.layers, configuration.new.heads) = (8, 1, 2)
    (configuration.new.patchSize, configuration.new.imageSize) = (4, 8)
    (configuration.new.initialDeviation, configuration.finalNorm) = (0, false)
    let places = { (configuration: VisionConfiguration) in
      let tower = try VisionTower(configuration, seed: 1)
      return tower.features(Tensor(repeating: 1, shape: [1, 3, 8, 8])).value
    }
    #expect(try Set(places(configuration).values.map(abs)) == [0])
    configuration.new.positions = .sineCosine
    // With weights of zero the blocks add nothing.
    let slow = Float(0.5).squareRoot()
    let (s, c, t, d) = (sin(Float(1)), cos(Float(1)), sin(slow), cos(slow))
    let expected: [Float] = [
      0, 0, 0, 0, 0, 0, 0, 0,  //
      0, 0, 1, 1, 0, 0, 1, 1, s, t, c, d, 0, 0, 1, 1,  //
      0, 0, 1, 1, s, t, c, d, s, t, c, d, s, t, c, d,
    ]
    let table = Tensor(expected, shape: [1, 5, 8])
    #expect(difference(try places(configuration), table, relative: 1e-6) == nil)
  }

  @Test(arguments: ["dinov2", nil])
  func headsAreForFilesAlone(_ name: String?) throws {
    var configuration = VisionConfiguration()
    configuration.path = try name.map { try golden($0).path }
    configuration.frozen = false
    configuration.heads = 4
    #expect {
      _ = try VisionTower(configuration, seed: 1)
    } throws: {
      guard case .invalidValue("vision.heads", "4", "null", _) = $0 as? ConfigurationError else {
        return false
      }
      return true
    }
  }

  /// Weights of PyTorch count as those of safetensors do; other files do not.
  @Test(arguments: [("pytorch_model.bin", true), ("encoder.pth", true), ("notes.txt", false)])
  func fingerprintsOfFolders(_ name: String, counts: Bool) throws {
    let folder = try TemporaryFolder()
    for file in ["config.json", "model.safetensors"] {
      try folder.copy(golden("clip-vision").appendingPathComponent(file))
    }
    let before = try VisionTower(configuration(folder.url), seed: 1).fingerprint
    try folder.write("more", to: name)
    let after = try VisionTower(configuration(folder.url), seed: 1).fingerprint
    #expect((before != after) == counts)
  }
}
