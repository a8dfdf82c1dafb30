import Foundation
import WeightFiles

/// What `export` notes in a safetensors file of the authors' names, which do not tell it: beneath `config`.
struct AuthorsNotes: Codable {
  /// Attention heads of the Q-Former.
  var heads: Int?
  /// Attention heads of the image encoder, where it is in the file.
  var encoderHeads: Int?

  enum CodingKeys: String, CodingKey {
    case heads = "num_attention_heads"
    case encoderHeads = "num_heads"
  }

  init(heads: Int, encoderHeads: Int?) { (self.heads, self.encoderHeads) = (heads, encoderHeads) }

  /// Nil where a file has no such notes.
  /// - Throws: `ModelConfigurationError`, naming the key.
  init?(_ weights: WeightFolder) throws {
    guard let text = weights.metadata["config"] else { return nil }
    self = try ModelConfigurationFile(text: text, within: weights.url).decoded(AuthorsNotes.self)
    guard heads.map({ (1...1024).contains($0) }) ?? true else {
      throw ModelConfigurationError.bad(
        file: weights.url.path,
        reason: "num_attention_heads: expected 1 to 1024, found \(heads ?? 0)")
    }
  }

  /// As a file's metadata.
  var metadata: [String: String] {
    get throws {
      ["format": "pt", "config": String(decoding: try JSONEncoder().encode(self), as: UTF8.self)]
    }
  }
}
