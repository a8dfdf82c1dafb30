import Foundation
import TestSupport
import WeightFiles

/// Llama weights of a Hugging Face folder as a GGUF file in float32, queries and keys reordered for
/// neighbouring rotary pairs as llama.cpp's converter does.
enum LlamaGGUF {
  private struct Sizes: Decodable {
    let hiddenSize: Int
    let intermediateSize: Int
    let numHiddenLayers: Int
    let numAttentionHeads: Int
    let numKeyValueHeads: Int
    let headDim: Int?
    let maxPositionEmbeddings: Int
    let rmsNormEps: Float
    let ropeTheta: Float?
    let ropeParameters: Rotary?
    let bosTokenId: Int
    let eosTokenId: Int
    let padTokenId: Int?

    struct Rotary: Decodable { let ropeTheta: Float }

    var headWidth: Int { headDim ?? hiddenSize / numAttentionHeads }
  }

  /// Writes the file.
  /// - Parameter folder: With `config.json` and float32 weights.
  static func write(_ folder: URL, to file: URL) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let sizes = try decoder.decode(
      Sizes.self, from: Data(contentsOf: folder.appendingPathComponent("config.json")))
    let weights = try WeightFolder(folder)
    let tensors = try weights.names.map { name -> GGUFFileMaker.Tensor in
      let shape = try weights.shape(of: name)
      var values = try weights.tensor(named: name).floats()
      if name.contains("q_proj") {
        values = neighbouring(values, heads: sizes.numAttentionHeads, columns: shape[1])
      } else if name.contains("k_proj") {
        values = neighbouring(values, heads: sizes.numKeyValueHeads, columns: shape[1])
      }
      return .init(
        ggufName(name), shape.reversed(), type: 0, bytes: values.withUnsafeBytes { Array($0) })
    }
    try Data(GGUFFileMaker(fields(sizes), tensors).file).write(to: file)
  }

  private static func fields(_ sizes: Sizes) -> [(String, GGUFFileMaker.Value)] {
    var fields: [(String, GGUFFileMaker.Value)] = [
      ("general.architecture", .string("llama")),
      ("llama.embedding_length", .uint32(sizes.hiddenSize)),
      ("llama.feed_forward_length", .uint32(sizes.intermediateSize)),
      ("llama.block_count", .uint32(sizes.numHiddenLayers)),
      ("llama.attention.head_count", .uint32(sizes.numAttentionHeads)),
      ("llama.attention.head_count_kv", .uint32(sizes.numKeyValueHeads)),
      ("llama.attention.key_length", .uint32(sizes.headWidth)),
      ("llama.rope.dimension_count", .uint32(sizes.headWidth)),
      ("llama.context_length", .uint32(sizes.maxPositionEmbeddings)),
      ("llama.attention.layer_norm_rms_epsilon", .float(sizes.rmsNormEps)),
      ("tokenizer.ggml.bos_token_id", .uint32(sizes.bosTokenId)),
      ("tokenizer.ggml.eos_token_id", .uint32(sizes.eosTokenId)),
    ]
    if let base = sizes.ropeParameters?.ropeTheta ?? sizes.ropeTheta {
      fields.append(("llama.rope.freq_base", .float(base)))
    }
    if let padding = sizes.padTokenId {
      fields.append(("tokenizer.ggml.padding_token_id", .uint32(padding)))
    }
    return fields
  }

  /// Row `half + i` of a head comes to stand after its row `i`.
  private static func neighbouring(_ values: [Float], heads: Int, columns: Int) -> [Float] {
    let headWidth = values.count / columns / heads
    return (0..<heads).flatMap { head in
      (0..<headWidth).flatMap { row -> ArraySlice<Float> in
        let source = head * headWidth + row % 2 * headWidth / 2 + row / 2
        return values[source * columns..<(source + 1) * columns]
      }
    }
  }

  private static func ggufName(_ name: String) -> String {
    let parts = [
      ("model.embed_tokens", "token_embd"), ("lm_head", "output"), ("model.norm", "output_norm"),
      ("model.layers.", "blk."), ("input_layernorm", "attn_norm"), ("self_attn.q_proj", "attn_q"),
      ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"),
      ("self_attn.o_proj", "attn_output"), ("post_attention_layernorm", "ffn_norm"),
      ("mlp.gate_proj", "ffn_gate"), ("mlp.up_proj", "ffn_up"), ("mlp.down_proj", "ffn_down"),
    ]
    return parts.reduce(name) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
  }
}
