import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import VisionEncoders

/// Encoders that go out under public names and come back, and pixel normalisation.
@Suite struct PublicFormatTests {
  /// Writes an encoder as a public folder.
  private func export(_ encoder: DINOv2, to folder: TemporaryFolder) throws {
    var tensors: [String: SafetensorsWriter.Tensor] = [:]
    for entry in encoder.namedParameters {
      let shape = encoder.publicShape(of: entry.name, entry.parameter.shape)
      tensors[encoder.publicName(of: entry.name)] = .init(
        shape: shape, values: entry.parameter.value.values)
    }
    #expect(tensors.count == encoder.namedParameters.count, "two parameters share a name")
    try SafetensorsWriter.write(
      tensors, to: folder.url.appendingPathComponent("model.safetensors"))
    try JSONSerialization.data(withJSONObject: encoder.publicConfiguration)
      .write(to: folder.url.appendingPathComponent("config.json"))
  }

  @Test func roundTrip() throws {
    let encoder = DINOv2GradientTests.tinyEncoder()
    let folder = try TemporaryFolder()
    try export(encoder, to: folder)
    let read = try DINOv2(folder: folder.url)
    #expect(read.configuration == encoder.configuration)
    for (mine, other) in zip(encoder.namedParameters, read.namedParameters) {
      #expect(mine.name == other.name)
      #expect(mine.parameter.value.values == other.parameter.value.values, "\(mine.name)")
    }
  }

  /// The names and shapes of what is written are those of the library's own file.
  @Test func namesAreTheLibrarys() throws {
    let url = Goldens.folder.appendingPathComponent("dinov2")
    let encoder = try DINOv2(folder: url)
    let stored = try SafetensorsFile(url.appendingPathComponent("model.safetensors"))
    // The mask token serves pre-training alone.
    #expect(
      Set(encoder.namedParameters.map { encoder.publicName(of: $0.name) })
        == Set(stored.names).subtracting(["embeddings.mask_token"]))
    for entry in encoder.namedParameters {
      let name = encoder.publicName(of: entry.name)
      #expect(
        encoder.publicShape(of: entry.name, entry.parameter.shape)
          == (try stored.tensor(named: name).shape), "\(name)")
    }
  }

  @Test func normalisationIsReadWhereThereIsOne() throws {
    let folder = try TemporaryFolder()
    #expect(try PixelNormalisation.of(folder: folder.url) == .imageNet)
    try folder.write(
      #"{"image_mean": [0.5, 0.25, 0.125], "image_std": [1, 2, 4], "size": {"height": 3}}"#,
      to: "preprocessor_config.json")
    #expect(
      try PixelNormalisation.of(folder: folder.url)
        == PixelNormalisation(mean: [0.5, 0.25, 0.125], deviation: [1, 2, 4]))
  }

  @Test(arguments: [
    "", "{}", #"{"image_mean": [1, 2, 3]}"#, #"{"image_mean": [1, 2], "image_std": [1, 1, 1]}"#,
    #"{"image_mean": [1, 2, 3], "image_std": [1, 0, 1]}"#,
    #"{"image_mean": [1, 2, 3], "image_std": [1, -1, 1]}"#,
    #"{"image_mean": "dark", "image_std": [1, 1, 1]}"#,
    #"{"image_mean": [1, 2, 3], "image_std": [1, 1e60, 1]}"#,
  ])
  func damagedNormalisation(_ text: String) throws {
    let folder = try TemporaryFolder()
    try folder.write(text, to: "preprocessor_config.json")
    #expect(throws: VisionEncoderError.self) {
      _ = try PixelNormalisation.of(folder: folder.url)
    }
    #expect(
      message { _ = try PixelNormalisation.of(folder: folder.url) }?
        .contains("preprocessor_config.json") == true)
  }
}
