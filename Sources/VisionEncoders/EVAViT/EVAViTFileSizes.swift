import Foundation
import WeightFiles

/// Reads the sizes of an encoder off the tensors of a file in the names of EVA's authors.
struct EVAViTFileSizes {
  private let weights: WeightFolder
  /// What stands before all names.
  let prefix: String

  init(_ weights: WeightFolder) {
    self.weights = weights
    prefix =
      EVAViTFileSizes.prefixes.first { weights.contains($0 + "cls_token") }
      ?? EVAViTFileSizes.prefixes.first { prefix in
        weights.names.contains { $0.hasPrefix(prefix + "blocks.") }
      } ?? ""
  }

  /// BLIP-2's files, EVA-CLIP's whole models, and its image encoders by themselves.
  private static let prefixes = ["visual_encoder.", "visual.", ""]

  /// The configuration, held against the bounds of any other; the number of heads is what is given,
  /// or what the file's metadata says (`config` with `num_heads`), or one for each 88 of the width,
  /// as in EVA's ViT-g.
  /// - Throws: `ModelConfigurationError`, `VisionEncoderError` or `WeightFileError`.
  func configuration(heads: Int?) throws -> EVAViTConfiguration {
    try refuseOpenAINames()
    var result = EVAViTConfiguration()
    result.width = try sizes("cls_token", "[1, 1, width]") {
      $0.count == 3 && $0[0] == 1 && $0[1] == 1 ? $0[2] : nil
    }
    try refuseVariants()
    result.feedForwardWidth = try sizes("blocks.0.mlp.fc1.weight", "[MLP width, width]") {
      $0.count == 2 ? $0[0] : nil
    }
    result.patchSize = try sizes("patch_embed.proj.weight", "[width, 3, side, side]") {
      $0.count == 4 && $0[1] == 3 && $0[2] == $0[3] ? $0[2] : nil
    }
    let gridSide = try sizes("pos_embed", "[1, 1 + side · side, width]") {
      $0.count == 3 && $0[0] == 1 ? EVAViTFileSizes.root(of: $0[1] - 1) : nil
    }
    let (imageSize, overflows) = gridSide.multipliedReportingOverflow(by: result.patchSize)
    result.imageSize = overflows ? .max : imageSize
    result.layers = try layers(width: result.width)
    let notes = try notes()
    result.layerNormEpsilon = notes?.epsilon.map { Float($0) } ?? result.layerNormEpsilon
    result.heads = try heads ?? notes?.heads ?? usualHeads(width: result.width)
    if let problem = result.problem { throw bad(problem) }
    return result
  }

  private func bad(_ reason: String) -> ModelConfigurationError {
    .bad(file: weights.url.path, reason: reason)
  }

  private func sizes(
    _ name: String, _ expected: String, _ size: ([Int]) -> Int?
  ) throws -> Int {
    let tensor = try weights.tensor(named: prefix + name)
    guard let result = size(tensor.shape), result > 0 else {
      throw VisionEncoderError(
        file: tensor.file.path, tensor: prefix + name,
        problem: "expected \(expected), found \(tensor.shape)")
    }
    return result
  }

  /// The whole root of a square number of at most 65536².
  private static func root(of square: Int) -> Int? {
    guard square > 0, square <= 65_536 * 65_536 else { return nil }
    let root = Int(Double(square).squareRoot())
    return root * root == square ? root : nil
  }

  /// The number of blocks. EVA's published ViT-g has 40; BLIP-2 takes what goes into the last.
  private func layers(width: Int) throws -> Int {
    let start = prefix + "blocks."
    let numbers = weights.names.filter { $0.hasPrefix(start) }
      .compactMap { Int($0.dropFirst(start.count).prefix { $0 != "." }) }
    guard let last = numbers.max(), last < 512 else {
      throw bad("\(start)N: expected 1 to 512 blocks, found number \(numbers.max() ?? 0)")
    }
    return width == 1408 && last == 39 ? 39 : last + 1
  }

  private func usualHeads(width: Int) throws -> Int {
    guard width % 88 == 0 else {
      throw bad(
        "the file does not say how many attention heads there are, and its width \(width) "
          + "is no multiple of 88, EVA's width of a head; set vision.heads")
    }
    return width / 88
  }

  /// What a file's metadata says beside the tensors.
  private struct Notes: Decodable {
    let heads: Int?
    let epsilon: Double?

    enum CodingKeys: String, CodingKey {
      case heads = "num_heads"
      case epsilon = "layer_norm_eps"
    }
  }

  private func notes() throws -> Notes? {
    guard let text = weights.metadata["config"] else { return nil }
    return try ModelConfigurationFile(text: text, within: weights.url).decoded(Notes.self)
  }

  /// Parts of a tensor's name that EVA's first ViT does not have, and what they belong to.
  private static let variants = [
    "rope": "rotary positions (EVA-02)", "freqs_cos": "rotary positions (EVA-02)",
    "w1": "SwiGLU (EVA-02)", "fc1_g": "SwiGLU (EVA-02)",
    "q_proj": "separate queries and keys (EVA-02)",
    "ffn_ln": "a norm within the feed-forward (EVA-02)",
    "inner_attn_ln": "a norm within the attention (EVA-02)",
    "relative_position_bias_table": "a relative position bias (BEiT)",
    "gamma_1": "LayerScale (BEiT)", "ls1": "LayerScale (original DINOv2 names)",
  ]

  /// OpenAI's own files of CLIP are easily taken for EVA-CLIP's, whose names lie beneath `visual.`
  /// too.
  private func refuseOpenAINames() throws {
    let names = [
      "visual.class_embedding", "visual.conv1.weight", "class_embedding",
      "visual_encoder.class_embedding",
    ]
    guard !weights.contains(prefix + "cls_token"), let name = names.first(where: weights.contains)
    else { return }
    throw VisionEncoderError(
      file: weights.url.path, tensor: name,
      problem: "expected the names of EVA's authors, found those of OpenAI's CLIP",
      remedy: "set vision.path to the same model's folder from Hugging Face, such as that of "
        + "openai/clip-vit-base-patch32")
  }

  private func refuseVariants() throws {
    for name in weights.names where name.hasPrefix(prefix) {
      for part in name.split(separator: ".") {
        guard let variant = EVAViTFileSizes.variants[String(part)] else { continue }
        throw VisionEncoderError(
          file: weights.url.path, tensor: name, problem: "\(variant) is not supported, found")
      }
    }
  }
}
