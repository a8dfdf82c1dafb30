import Autograd
import Foundation
import PublicFormats
import Testing

@testable import LanguageModels

/// What a table writes as a `config.json`, it reads back.
@Suite struct PublicConfigurationTests {
  private func requireRoundTrip<Sizes: PublicConfiguration>(_ sizes: Sizes) throws {
    #expect(sizes != Sizes() && sizes.problem == nil)
    let data = try JSONSerialization.data(withJSONObject: sizes.publicValues)
    #expect(try JSONDecoder().decode(Sizes.self, from: data) == sizes)
  }

  @Test func optSurvivesItsFile() throws {
    var sizes = OPTConfiguration()
    (sizes.width, sizes.layers, sizes.heads, sizes.feedForwardWidth) = (48, 3, 4, 80)
    (sizes.vocabularySize, sizes.maximumPositions, sizes.embeddingWidth) = (101, 33, 24)
    (sizes.normsComeFirst, sizes.omitsFinalNorm, sizes.activation) = (false, true, .gelu)
    sizes.tokens = LanguageModelTokens(start: 3, end: 7, padding: 0)
    try requireRoundTrip(sizes)
    sizes.tokens.start = nil
    #expect(sizes.publicValues["bos_token_id"] as? Int == 7)
  }

  @Test(arguments: [Activation.relu, .tanhGELU, .gelu, .silu])
  func t5SurvivesItsFile(activation: Activation) throws {
    var sizes = T5Configuration.gated
    (sizes.width, sizes.headWidth, sizes.feedForwardWidth, sizes.heads) = (40, 10, 72, 3)
    (sizes.encoderLayers, sizes.decoderLayers, sizes.vocabularySize) = (2, 5, 99)
    (sizes.distanceBuckets, sizes.maximumDistance, sizes.epsilon) = (16, 60, 1e-5)
    sizes.activation = activation
    sizes.decoderStart = 3
    try requireRoundTrip(sizes)
    (sizes.isGated, sizes.isTied, sizes.scalesOutput) = (false, true, nil)
    try requireRoundTrip(sizes)
  }

  @Test func minusOneMeansNoToken() throws {
    let data = Data(#"{"pad_token_id": -1, "bos_token_id": -1, "eos_token_id": 7}"#.utf8)
    let sizes = try JSONDecoder().decode(LlamaConfiguration.self, from: data)
    #expect(sizes.problem == nil)
    #expect(sizes.tokens.start == nil && sizes.tokens.end == 7 && sizes.tokens.padding == 7)
  }

  @Test func llamaSurvivesItsFile() throws {
    var sizes = LlamaConfiguration.smolLM2
    (sizes.maximumPositions, sizes.epsilon, sizes.rotaryBase) = (77, 1e-4, 5000)
    sizes.activation = .gelu
    sizes.tokens = LanguageModelTokens(start: nil, end: 5, padding: 4)
    try requireRoundTrip(sizes)
  }

  @Test func numbersOutOfRangeAreNamed() throws {
    func problem(_ json: String) throws -> String? {
      try JSONDecoder().decode(LlamaConfiguration.self, from: Data(json.utf8)).problem
    }
    #expect(try problem("{}") == nil)
    #expect(
      try problem(#"{"hidden_size": 0}"#) == "hidden_size: expected 1 to 65536, found 0")
    #expect(
      try problem(#"{"eos_token_id": [2, 32000]}"#)
        == "eos_token_id: expected 0 to 31999, found 32000")
    #expect(
      try problem(#"{"num_key_value_heads": 5}"#) == "num_key_value_heads: 5 does not divide 32")
    #expect(try problem(#"{"num_key_value_heads": null, "head_dim": null}"#) == nil)
  }
}
