import Foundation
import Tensors
import TestSupport
import Testing
import VisionEncoders

@testable import Recipes
@testable import Training

/// Public encoders that a run trains and exports are read again, and give the same features.
@Suite struct VisionExportTests {
  @Test(arguments: ["clip-vision", "blip2-retrieval"])
  func trainedEncodersAreReadAgain(_ golden: String) throws {
    let folder = Goldens.folder.appendingPathComponent(golden)
    let run = try TinyRun(steps: 2, vision: "{path: \(folder.path), frozen: false}")
    let trained = try BuiltTool.run(run.arguments("a"))
    #expect(trained.status == 0, "\(trained.errors)")
    let exported = try BuiltTool.run(
      ["export", run.output("a"), "--parts", "vision", "--output", run.output("encoder")])
    #expect(exported.status == 0, "\(exported.errors)")

    let evaluation = try LoadedRecipe<StageOneRecipe>(
      run.output("a"), reading: [], report: { _ in })
    var configuration = VisionConfiguration()
    configuration.path = run.output("encoder")
    let tower = try VisionTower(configuration, seed: 1)
    let pixels = randomTensor([2, 3, tower.imageSize, tower.imageSize], seed: 1)
    let features = tower.features(pixels).value
    #expect(features.values == evaluation.recipe.tower.features(pixels).value.values)
    #expect(tower.normalization.mean == evaluation.recipe.tower.normalization.mean)
    // Training has changed it.
    configuration.path = folder.path
    let before = try VisionTower(configuration, seed: 1)
    #expect(before.features(pixels).value.values != features.values)
  }
}
