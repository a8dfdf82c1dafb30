import Foundation
import PublicFormats
import Testing

@testable import VisionEncoders

/// What a table writes as a `config.json`, it reads back.
@Suite struct PublicConfigurationTests {
  private func requireRoundTrip<Sizes: ViTConfiguration>(_ start: Sizes) throws {
    var sizes = start
    (sizes.width, sizes.layers, sizes.heads) = (36, 3, 4)
    (sizes.patchSize, sizes.imageSize, sizes.layerNormEpsilon) = (7, 21, 1e-3)
    #expect(sizes != Sizes() && sizes.problem == nil)
    let data = try JSONSerialization.data(withJSONObject: sizes.publicValues)
    #expect(try JSONDecoder().decode(Sizes.self, from: data) == sizes)
  }

  @Test func clipSurvivesItsFile() throws {
    var sizes = CLIPViTConfiguration()
    (sizes.feedForwardWidth, sizes.activation, sizes.initialDeviation) = (50, .gelu, 0.125)
    try requireRoundTrip(sizes)
  }

  @Test func evaSurvivesItsFile() throws {
    var sizes = EVAViTConfiguration()
    sizes.feedForwardWidth = 50
    try requireRoundTrip(sizes)
  }

  @Test func dinov2SurvivesItsFile() throws {
    var sizes = DINOv2Configuration()
    (sizes.feedForwardRatio, sizes.initialLayerScale, sizes.initialDeviation) = (3, 0.5, 0.125)
    try requireRoundTrip(sizes)
  }
}
