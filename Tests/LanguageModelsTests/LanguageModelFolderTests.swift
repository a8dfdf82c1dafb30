import Autograd
import Foundation
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import LanguageModels

/// Folders of language models: weights in 16 bits, and what is refused.
@Suite struct LanguageModelFolderTests {
  /// Weights stored in float16 give what their values give in float32, and are kept as they are.
  @Test(arguments: LanguageModelGolden.all)
  func sixteenBitsStayAsTheyAreStored(_ golden: LanguageModelGolden) throws {
    let stored = try WeightFolder(golden.folder)
    let (half, whole) = (try TemporaryFolder(), try TemporaryFolder())
    for (folder, precision) in [(half, WrittenTensor.Precision.float16), (whole, .float32)] {
      try folder.copy(golden.folder.appendingPathComponent("config.json"))
      var tensors: [String: WrittenTensor] = [:]
      for name in stored.names {
        // Rounded once, so that both files hold the same numbers.
        let values = try stored.tensor(named: name).floats().map { Float(Float16($0)) }
        tensors[name] = .init(
          shape: try stored.shape(of: name), values: values, precision: precision)
      }
      try SafetensorsWriter.write(
        tensors, metadata: [:], to: folder.url.appendingPathComponent("model.safetensors"))
    }
    let (first, second) = (
      try LanguageModelFamily.model(at: half.url), try LanguageModelFamily.model(at: whole.url)
    )
    let texts: [[Int32]] = [[5, 6, 7, 8], [9, 10]]
    let targets: [[Int32]] = [[11, 12, 13], [14]]
    func logits(_ model: any LanguageModel) -> Tensor {
      model.logits(model.states(predicting: targets, after: model.embeddings(ofTexts: texts))).value
    }
    #expect(difference(logits(first), logits(second), relative: 1e-5) == nil)
    let embeddings = try #require(
      first.namedParameters.first { $0.name == "wordEmbeddings" }?.parameter)
    #expect(embeddings.weight.matrix is StoredWeight)
    #expect(embeddings.isFrozen)
  }

  @Test(arguments: LanguageModelGolden.all)
  func aMissingTensorIsNamed(_ golden: LanguageModelGolden) throws {
    let name = try #require(try WeightFolder(golden.folder).names.first { $0.contains("norm") })
    let folder = try edited(golden) { $0[name] = nil }
    #expect {
      try LanguageModelFamily.model(at: folder.url)
    } throws: {
      guard case WeightFileError.missingTensor(_, let tensor) = $0 else { return false }
      return tensor == name
    }
  }

  @Test(arguments: LanguageModelGolden.all)
  func aWrongShapeNamesBothShapes(_ golden: LanguageModelGolden) throws {
    let name = try #require(try WeightFolder(golden.folder).names.first { $0.contains("norm") })
    let folder = try edited(golden) {
      $0[name] = .init(shape: [3], values: [1, 2, 3], precision: .float32)
    }
    #expect {
      try LanguageModelFamily.model(at: folder.url)
    } throws: {
      guard case WeightFileError.wrongShape(_, let tensor, let expected, let found) = $0 else {
        return false
      }
      return tensor == name && found == [3] && expected != [3]
    }
  }

  /// A golden's folder with other tensors.
  private func edited(
    _ golden: LanguageModelGolden, _ edit: (inout [String: WrittenTensor]) -> Void
  ) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.copy(golden.folder.appendingPathComponent("config.json"))
    let stored = try WeightFolder(golden.folder)
    var tensors: [String: WrittenTensor] = [:]
    for name in stored.names {
      tensors[name] = .init(
        shape: try stored.shape(of: name), values: try stored.tensor(named: name).floats(),
        precision: .float32)
    }
    edit(&tensors)
    try SafetensorsWriter.write(
      tensors, metadata: [:], to: folder.url.appendingPathComponent("model.safetensors"))
    return folder
  }

  @Test(arguments: [
    (#"{"model_type": "gpt_neox"}"#, "llama, opt, t5"),
    (
      #"{"model_type": "opt", "num_attention_heads": 7, "hidden_size": 768}"#, "num_attention_heads"
    ),
    (#"{"model_type": "opt", "vocab_size": 10, "eos_token_id": 10}"#, "eos_token_id"),
    (#"{"model_type": "opt", "hidden_size": 1e30}"#, "hidden_size"),
    (#"{"model_type": "opt", "enable_bias": false}"#, "enable_bias"),
    (#"{"model_type": "opt", "activation_function": "tanh"}"#, "activation_function"),
    (
      #"{"model_type": "llama", "num_key_value_heads": 3, "num_attention_heads": 4}"#,
      "num_key_value_heads"
    ),
    (#"{"model_type": "llama", "attention_bias": true}"#, "attention_bias"),
    (#"{"model_type": "llama", "rope_scaling": {"rope_type": "yarn"}}"#, "yarn"),
    (#"{"model_type": "llama", "head_dim": 0}"#, "head_dim"),
    (
      #"{"model_type": "t5", "relative_attention_num_buckets": 2}"#,
      "relative_attention_num_buckets"
    ),
    (#"{"model_type": "t5", "feed_forward_proj": "gated-relu6"}"#, "feed_forward_proj"),
    (#"{"model_type": "t5", "decoder_start_token_id": -1}"#, "decoder_start_token_id"),
    (#"{"model_type": "blip-2"}"#, "text_config"),
    (#"{"model_type": ["opt"]}"#, "model_type"),
    ("[", "JSON"),
  ])
  func badConfigurationsAreRefused(_ text: String, _ named: String) throws {
    let folder = try TemporaryFolder()
    try folder.write(text, to: "config.json")
    try SafetensorsWriter.write(
      ["a": .init(shape: [1], values: [1], precision: .float32)], metadata: [:],
      to: folder.url.appendingPathComponent("model.safetensors"))
    #expect {
      try LanguageModelFamily.model(at: folder.url)
    } throws: {
      $0 is ModelConfigurationError && $0.localizedDescription.contains(named)
        && $0.localizedDescription.contains("config.json")
    }
  }

  @Test func aFileOfWeightsAloneIsRefused() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("model.safetensors")
    try SafetensorsWriter.write(
      ["a": .init(shape: [1], values: [1], precision: .float32)], metadata: [:], to: file)
    #expect(throws: ModelConfigurationError.self) { try LanguageModelFamily.model(at: file) }
    #expect(throws: ModelConfigurationError.self) {
      try LanguageModelFamily.model(at: folder.url.appendingPathComponent("nothing"))
    }
  }
}
