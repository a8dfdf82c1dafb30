import Foundation
import TestSupport
import WeightFiles

/// Llama weights of a Hugging Face folder as a GGUF file in float32, queries and keys reordered for
/// neighbouring rotary pairs as llama.cpp's converter does.
enum LlamaGGUF {
  private struct Sizes: Decodable {
    let hidden_size: Int
    let intermediate_size: Int
    let num_hidden_layers: Int
    let num_attention_heads: Int
    let num_key_value_heads: Int
    let head_dim: Int?
    let max_position_embeddings: Int
    let rms_norm_eps: Float
    let rope_theta: Float?
    let rope_parameters: Rotary?
    let bos_token_id: Int
    let eos_token_id: Int
    let pad_token_id: Int?

    struct Rotary: Decodable { let rope_theta: Float }

    var headWidth: Int { head_dim ?? hidden_size / num_attention_heads }
  }

  /// Writes the file.
  /// - Parameter folder: With `config.json` and float32 weights.
  static func write(_ folder: URL, to file: URL) throws {
    let sizes = try JSONDecoder().decode(
      Sizes.self, from: Data(contentsOf: folder.appendingPathComponent("config.json")))
    let weights = try WeightFolder(folder)
    let tensors = try weights.names.map { name -> GGUFFileMaker.Tensor in
      let shape = try weights.shape(of: name)
      var values = try weights.tensor(named: name).floats()
      if name.contains("q_proj") {
        values = neighbouring(values, heads: sizes.num_attention_heads, columns: shape[1])
      } else if name.contains("k_proj") {
        values = neighbouring(values, heads: sizes.num_key_value_heads, columns: shape[1])
      }
      return .init(
        ggufName(name), shape.reversed(), type: 0, bytes: values.withUnsafeBytes { Array($0) })
    }
    try Data(GGUFFileMaker(fields(sizes), tensors).file).write(to: file)
  }

  private static func fields(_ sizes: Sizes) -> [(String, GGUFFileMaker.Value)] {
    var fields: [(String, GGUFFileMaker.Value)] = [
      ("general.architecture", .string("llama")),
      ("llama.embedding_length", .uint32(sizes.hidden_size)),
      ("llama.feed_forward_length", .uint32(sizes.intermediate_size)),
      ("llama.block_count", .uint32(sizes.num_hidden_layers)),
      ("llama.attention.head_count", .uint32(sizes.num_attention_heads)),
      ("llama.attention.head_count_kv", .uint32(sizes.num_key_value_heads)),
      ("llama.attention.key_length", .uint32(sizes.headWidth)),
      ("llama.rope.dimension_count", .uint32(sizes.headWidth)),
      ("llama.context_length", .uint32(sizes.max_position_embeddings)),
      ("llama.attention.layer_norm_rms_epsilon", .float(sizes.rms_norm_eps)),
      ("tokenizer.ggml.bos_token_id", .uint32(sizes.bos_token_id)),
      ("tokenizer.ggml.eos_token_id", .uint32(sizes.eos_token_id)),
    ]
    if let base = sizes.rope_parameters?.rope_theta ?? sizes.rope_theta {
      fields.append(("llama.rope.freq_base", .float(base)))
    }
    if let padding = sizes.pad_token_id {
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
