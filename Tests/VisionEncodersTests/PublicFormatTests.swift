import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import VisionEncoders

/// Encoders that go out under public names and come back, and pixel normalisation.
@Suite struct PublicFormatTests {
  @Test(arguments: TinyEncoder.allCases)
  func roundTrip(_ kind: TinyEncoder) throws {
    let encoder = kind.made
    // As training leaves it: no number is the one that it started from.
    for (index, entry) in encoder.namedParameters.enumerated() {
      entry.parameter.value = randomTensor(entry.parameter.shape, seed: UInt64(index))
    }
    let folder = try EncoderFolder(encoder)
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
      read.features(pixels, output: read.wholeOutput).value.values
        == encoder.features(pixels, output: encoder.wholeOutput).value.values)
  }

  /// A golden whose file the library wrote, and what that holds beside the encoder's parameters.
  struct Library: CustomStringConvertible {
    let folder: URL
    let others: Set<String>
    var description: String { folder.lastPathComponent }

    static func all(beginning prefix: String, others: Set<String>) -> [Library] {
      Goldens.folders(beginning: prefix, with: "model.safetensors").map {
        Library(folder: $0, others: others)
      }
    }
  }

  static let libraries = [
    // The mask token serves pre-training alone.
    Library.all(beginning: "dinov2", others: ["embeddings.mask_token"]),
    // Old releases store the numbers 0, 1, 2 …
    Library.all(beginning: "clip-vision", others: ["embeddings.position_ids"]),
    Library.all(
      beginning: "blip2-", others: ["post_layernorm.weight", "post_layernorm.bias"]),
  ]

  @Test func librariesArePresent() {
    #expect(Self.libraries.allSatisfy { !$0.isEmpty }, "\(Self.libraries)")
  }

  /// The names and shapes of what is written are those of the library's own file, but for a prefix
  /// that some of its releases write.
  @Test(arguments: libraries.flatMap { $0 })
  func namesAreTheLibrarys(_ library: Library) throws {
    let encoder = try VisionEncoderFamily.encoder(at: library.folder)
    let stored = try SafetensorsFile(library.folder.appendingPathComponent("model.safetensors"))
    let prefix = EncoderFolder.prefix
    let theirs = stored.names.contains { $0.hasPrefix(prefix) } ? prefix : ""
    let names = stored.names.filter { $0.hasPrefix(theirs) }.map { $0.dropFirst(theirs.count) }
    var found: Set<String> = []
    for entry in encoder.namedParameters {
      let name = encoder.publicFormat.publicName(of: entry.name)
      let bare = name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
      found.insert(bare)
      #expect(
        encoder.publicFormat.publicShape(of: entry.name, entry.parameter.shape)
          == (try stored.shape(of: theirs + bare)), "\(name)")
    }
    #expect(found == Set(names.map(String.init)).subtracting(library.others))
  }

  /// Public files of CLIP have the prefix, and so has what is written for them.
  @Test func prefixes() {
    for kind in TinyEncoder.allCases {
      let encoder = kind.made
      let prefixed = encoder.namedParameters.filter {
        encoder.publicFormat.publicName(of: $0.name).hasPrefix(EncoderFolder.prefix)
      }
      #expect(prefixed.count == (encoder is CLIPViT ? encoder.namedParameters.count : 0))
    }
  }

  @Test func normalisationIsReadWhereThereIsOne() throws {
    let folder = try TemporaryFolder()
    for family in [PixelNormalisation.imageNet, .clip] {
      #expect(try PixelNormalisation.of(folder.url, family: family) == family)
    }
    // A file that says nothing of colours, and one that is no such file.
    for text in ["{}", #"{"size": {"height": 3}}"#, #"{"image_mean": null, "image_std": null}"#] {
      try folder.write(text, to: "preprocessor_config.json")
      #expect(try PixelNormalisation.of(folder.url, family: .imageNet) == .imageNet)
    }
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
    "", "{", "[]", #"{"image_mean": [1, 2, 3]}"#, #"{"image_std": [1, 2, 3]}"#,
    #"{"image_mean": [1, 2, 3], "image_std": null}"#,
    #"{"image_mean": [1, 2], "image_std": [1, 1, 1]}"#,
    #"{"image_mean": [1, 2, 3], "image_std": [1, 0, 1]}"#,
    #"{"image_mean": [1, 2, 3], "image_std": [1, -1, 1]}"#,
    #"{"image_mean": "dark", "image_std": [1, 1, 1]}"#,
    #"{"image_mean": [1, 2, 3], "image_std": [1, 1e60, 1]}"#,
  ])
  func damagedNormalisation(_ text: String) throws {
    let folder = try TemporaryFolder()
    try folder.write(text, to: "preprocessor_config.json")
    #expect(throws: ModelConfigurationError.self) {
      _ = try PixelNormalisation.of(folder.url, family: .clip)
    }
    #expect(
      message { _ = try PixelNormalisation.of(folder.url, family: .clip) }?
        .contains("preprocessor_config.json") == true)
  }
}
