import Autograd
import Configuration
import Foundation
import Tensors
import TestSupport
import Testing
import VisionEncoders
import WeightFiles

@testable import Recipes

/// Files in the authors' names (LAVIS).
@Suite struct AuthorsExportTests {
  private let temporary: TemporaryFolder
  private let output: URL

  init() throws {
    temporary = try TemporaryFolder()
    output = temporary.url.appendingPathComponent("exported", isDirectory: true)
    try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
  }

  private func weights(_ ending: String) throws -> WeightFolder {
    try WeightFolder(output.appendingPathComponent("checkpoint.\(ending)"))
  }

  /// Read and written again: the original's names and numbers, to the bit, in both kinds of file.
  @Test(arguments: Goldens.files(in: "stage1")) func stageOneComesBack(_ file: URL) throws {
    let recipe = try ExportedRecipes.authors(file, in: temporary)
    let settings = ExportSettings(format: .lavis, parts: .qformer)
    #expect(try AuthorsExport(recipe, settings).write(to: output) == [])
    let golden = try Golden(file)
    let prefix = "weights/"
    let names = golden.names(under: prefix)
    for ending in ["safetensors", "pth"] {
      let written = try weights(ending)
      #expect(written.names == names.map { String($0.dropFirst(prefix.count)) })
      for name in names {
        let (mine, original) = (
          try written.tensor(named: String(name.dropFirst(prefix.count))),
          try golden.file.tensor(named: name)
        )
        #expect(mine.hasSameBytes(as: original), "\(name) in checkpoint.\(ending)")
      }
    }
  }

  /// It is read as the authors' own is, and gives the run's features.
  @Test func aTrainedEncoderGoesOutToo() throws {
    let file = try #require(Goldens.files(in: "stage1").first)
    let recipe = try ExportedRecipes.authors(file, in: temporary)
    #expect(try AuthorsExport(recipe, ExportSettings(format: .lavis)).write(to: output) == [])
    let url = output.appendingPathComponent("checkpoint.pth")
    // The file of tensors with notes says its heads; where it cannot, they are named.
    let noted = output.appendingPathComponent("checkpoint.safetensors")
    let model = try PublicCheckpoint(noted.path)
    let sizes = try ConfigurationLoader.load(
      StageOneRecipe.Configuration(), text: model.metadata.configuration, name: noted.path)
    #expect(sizes.model.qFormer.heads == recipe.configuration.model.qFormer.heads)
    #expect(try VisionEncoderFamily.encoder(at: noted).layerCount > 0)
    let encoder = try VisionEncoderFamily.encoder(
      at: url, heads: recipe.configuration.vision.new.heads)
    let pixels = randomTensor([1, 3, 28, 28], seed: 2)
    let features = withoutGradients {
      encoder.features(pixels, output: VisionOutput(appliesFinalNorm: false)).value
    }
    #expect(
      difference(features, recipe.tower.features(pixels).value, relative: 1e-5) == nil)
  }

  @Test(arguments: ["opt", "t5"]) func theProjectionIsNamedByTheFamily(_ family: String) throws {
    let recipe = try StageTwoRecipe(TinyStageTwo(family: family).configuration(), reading: [])
    #expect(try AuthorsExport(recipe, ExportSettings(format: .lavis)).write(to: output) == [])
    for ending in ["safetensors", "pth"] {
      let written = try weights(ending)
      #expect(written.contains("\(family)_proj.weight") && written.contains("ln_vision.bias"))
      #expect(!written.names.contains { $0.hasPrefix("visual_encoder.") })
      for entry in recipe.qFormer.namedParameters {
        let name = recipe.authorsFormat.publicName(of: entry.name)
        #expect(try written.tensor(named: name).floats() == entry.parameter.value.values)
      }
    }
  }
}
