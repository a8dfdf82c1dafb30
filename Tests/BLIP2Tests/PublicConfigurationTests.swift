import Foundation
import PublicFormats
import Testing

@testable import BLIP2

/// What the tables write as a `config.json`, they read back.
@Suite struct PublicConfigurationTests {
  @Test func blip2SurvivesItsFile() throws {
    var sizes = PublicBLIP2Configuration()
    (sizes.queries, sizes.embeddingWidth, sizes.imageToken) = (6, 16, 130)
    (sizes.qFormer.sizes.width, sizes.qFormer.sizes.layers, sizes.qFormer.sizes.heads) = (24, 4, 3)
    (sizes.qFormer.sizes.feedForwardWidth, sizes.qFormer.sizes.vocabularySize) = (64, 97)
    (sizes.qFormer.sizes.maximumPositions, sizes.qFormer.sizes.crossAttentionFrequency) = (40, 1)
    (sizes.qFormer.sizes.layerNormEpsilon, sizes.qFormer.sizes.dropout) = (1e-6, 0.25)
    (sizes.qFormer.sizes.initialDeviation, sizes.qFormer.visionWidth) = (0.5, 32)
    sizes.qFormer.readsText = true
    #expect(sizes.problem == nil)
    let data = try JSONSerialization.data(withJSONObject: sizes.publicValues)
    #expect(try JSONDecoder().decode(PublicBLIP2Configuration.self, from: data) == sizes)
  }

  @Test func aProblemNamesItsKey() {
    var sizes = PublicBLIP2Configuration()
    sizes.qFormer.sizes.heads = 7
    #expect(sizes.problem == "qformer_config: num_attention_heads: 7 does not divide 768")
  }
}
