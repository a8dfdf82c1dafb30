import Foundation
import WeightFiles

extension LanguageModelSource {
  /// The tokens that the model predicts among, read without its weights; nil where the configuration
  /// leaves it to the family.
  /// - Throws: `ModelConfigurationError` or `WeightFileError`.
  public func vocabularySize() throws -> Int? {
    if let gguf = weights.gguf { return try gguf.shape(of: "token_embd.weight").first }
    let size = try decoded(Vocabulary.self).size
    return size.flatMap { (1...1 << 22).contains($0) ? $0 : nil }
  }

  private struct Vocabulary: Decodable {
    let size: Int?

    enum CodingKeys: String, CodingKey { case size = "vocab_size" }
  }
}
