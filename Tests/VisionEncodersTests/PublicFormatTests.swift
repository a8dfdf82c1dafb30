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
  private func export(_ encoder: any VisionEncoder, to folder: TemporaryFolder) throws {
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

  @Test(arguments: TinyEncoder.allCases)
  func roundTrip(_ kind: TinyEncoder) throws {
    let encoder = kind.made
    // As training leaves it: no number is the one that it started from.
    for (index, entry) in encoder.namedParameters.enumerated() {
      entry.parameter.value = randomTensor(entry.parameter.shape, seed: UInt64(index))
    }
    let folder = try TemporaryFolder()
    try export(encoder, to: folder)
    let read = try VisionEncoderFamily.encoder(at: folder.url)
    #expect(type(of: read) == type(of: encoder))
    #expect(
      "\(read.publicConfiguration.sorted { $0.key < $1.key })"
        == "\(encoder.publicConfiguration.sorted { $0.key < $1.key })")
    #expect(encoder.namedParameters.map(\.name) == read.namedParameters.map(\.name))
    for (mine, other) in zip(encoder.namedParameters, read.namedParameters) {
      #expect(mine.parameter.value.values == other.parameter.value.values, "\(mine.name)")
    }
    let pixels = randomTensor([1, 3, 6, 6], seed: 1)
    #expect(
      read.features(pixels, output: read.defaultOutput).value.values
        == encoder.features(pixels, output: encoder.defaultOutput).value.values)
  }

  /// What a golden's file holds beside the encoder's parameters, and what stands before its names
  /// or ours.
  struct Library: CustomStringConvertible {
    let golden: String
    var others: Set<String> = []
    var theirPrefix = ""
    var ourPrefix = ""
    var description: String { golden }
  }

  static let libraries = [
    // The mask token serves pre-training alone.
    Library(golden: "dinov2", others: ["embeddings.mask_token"]),
    Library(golden: "clip-vision", ourPrefix: "vision_model."),
    Library(
      golden: "blip2-retrieval", others: ["post_layernorm.weight", "post_layernorm.bias"],
      theirPrefix: "vision_model."),
  ]

  /// The names and shapes of what is written are those of the library's own file.
  @Test(arguments: libraries)
  func namesAreTheLibrarys(_ library: Library) throws {
    let url = Goldens.folder.appendingPathComponent(library.golden)
    let encoder = try VisionEncoderFamily.encoder(at: url)
    let stored = try SafetensorsFile(url.appendingPathComponent("model.safetensors"))
    let names = stored.names.filter { $0.hasPrefix(library.theirPrefix) }
      .map { String($0.dropFirst(library.theirPrefix.count)) }
    var found: Set<String> = []
    for entry in encoder.namedParameters {
      let name = encoder.publicName(of: entry.name)
      #expect(name.hasPrefix(library.ourPrefix))
      let bare = String(name.dropFirst(library.ourPrefix.count))
      found.insert(bare)
      #expect(
        encoder.publicShape(of: entry.name, entry.parameter.shape)
          == (try stored.tensor(named: library.theirPrefix + bare).shape), "\(name)")
    }
    #expect(found == Set(names).subtracting(library.others))
  }

  @Test func normalisationIsReadWhereThereIsOne() throws {
    let folder = try TemporaryFolder()
    for family in [PixelNormalisation.imageNet, .clip] {
      #expect(try PixelNormalisation.of(folder.url, family: family) == family)
    }
    // A file says nothing of pixels.
    let file = try folder.write("", to: "weights.safetensors")
    #expect(try PixelNormalisation.of(file, family: .clip) == .clip)
    try folder.write(
      #"{"image_mean": [0.5, 0.25, 0.125], "image_std": [1, 2, 4], "size": {"height": 3}}"#,
      to: "preprocessor_config.json")
    #expect(
      try PixelNormalisation.of(folder.url, family: .clip)
        == PixelNormalisation(mean: [0.5, 0.25, 0.125], deviation: [1, 2, 4]))
  }

  @Test func familiesHaveTheirOwnNormalisation() {
    #expect(TinyEncoder.dinov2.made.familyNormalisation == .imageNet)
    #expect(TinyEncoder.clip.made.familyNormalisation == .clip)
    #expect(TinyEncoder.eva.made.familyNormalisation == .clip)
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
      _ = try PixelNormalisation.of(folder.url, family: .clip)
    }
    #expect(
      message { _ = try PixelNormalisation.of(folder.url, family: .clip) }?
        .contains("preprocessor_config.json") == true)
  }
}
