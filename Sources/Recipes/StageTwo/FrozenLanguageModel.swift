import BLIP2
import Configuration
import Datasets
import Files
import Foundation
import LanguageModels
import PublicFormats
import Tensors
import Tokenizers
import Training
import WeightFiles

/// The language model of a run with its tokenizer, both as they were found.
public struct FrozenLanguageModel {
  public let model: any LanguageModel
  public let tokenizer: any LanguageTokenizer
  /// The folder or file that it was read from.
  public let path: String
  /// Where its files say different things, or nothing, and what was taken.
  let notes: [String]
  /// A digest of the weights and settings.
  let fingerprint: String
  /// A digest of the tokenizer's files, where they do not lie with the weights.
  let tokenizerFingerprint: String?

  /// - Throws: `ConfigurationError`, `ModelConfigurationError`, `WeightFileError`, `TokenizerError`, or
  ///   `RunError` where tokenizer and model do not go together or memory does not suffice.
  init(
    _ configuration: LanguageModelConfiguration, in precision: ProductPrecision = .float32
  ) throws {
    path = try configuration.weights()
    let url = URL(fileURLWithPath: path)
    let source = try LanguageModelSource(url)
    try FrozenLanguageModel.requireRoom(
      bytes: source.weightBytes(in: precision), memory: .current(), path: source.url.path)
    model = try LanguageModelFamily.model(source)
    model.freeze()
    model.multiply(in: precision)
    if let family = configuration.family, family != model.family {
      throw RunError.otherFamily(path: path, expected: family, found: model.family)
    }
    tokenizer = try FrozenLanguageModel.tokenizer(at: configuration.tokenizerFolder, source)
    guard tokenizer.vocabularySize <= model.vocabularySize else {
      throw RunError.tokenizerMismatch(
        tokenizer: configuration.tokenizer ?? path, tokens: tokenizer.vocabularySize, model: path,
        rows: model.vocabularySize)
    }
    let ends = [model.tokens.end] + model.tokens.furtherEnds
    // Public BLIP-2 models name the token that ends an answer, OPT's line feed, in place of its own.
    guard source.isPart || ends.contains(tokenizer.endId) else {
      throw RunError.otherEndToken(
        tokenizer: configuration.tokenizer ?? path, token: Int(tokenizer.endId), model: path,
        expected: ends.map { Int($0) }, generation: FrozenLanguageModel.generationEnds(url))
    }
    notes = FrozenLanguageModel.notes(model, tokenizer, source)
    fingerprint = try FrozenLanguageModel.fingerprint(of: url)
    tokenizerFingerprint = try configuration.tokenizerFolder.map(FrozenLanguageModel.fingerprint)
  }

  /// A digest of a language model's weights and settings, its tokenizer's files among them.
  static func fingerprint(of url: URL) throws -> String {
    try Fingerprint.ofModel(at: url, further: tokenizerEndings)
  }

  private static func notes(
    _ model: any LanguageModel, _ tokenizer: any LanguageTokenizer, _ source: LanguageModelSource
  ) -> [String] {
    var notes: [String] = []
    if tokenizer.vocabularySize < model.vocabularySize {
      notes.append(
        "the tokenizer has \(tokenizer.vocabularySize) tokens, the model word embeddings for "
          + "\(model.vocabularySize): the others are never used")
    }
    func compare(_ name: String, _ stated: Int32?, _ taken: Int32?) {
      guard let stated, let taken, stated != taken else { return }
      notes.append(
        "\(name): config.json says token \(stated), the tokenizer \(taken): the tokenizer's is taken"
      )
    }
    compare("the start of a text", model.tokens.start, tokenizer.startId)
    let padding = model.tokens.padding
    compare("padding", padding == model.tokens.end ? nil : padding, tokenizer.padId)
    let generated = generationEnds(source.url)
    if !source.isPart, !generated.isEmpty, !generated.contains(Int(tokenizer.endId)) {
      notes.append(
        "the end of a text: generation_config.json says token "
          + generated.map(String.init).joined(separator: " or ")
          + ", config.json and the tokenizer \(tokenizer.endId): theirs is taken")
    }
    if let gguf = source.weights.gguf, !gguf.fields.contains("tokenizer.ggml.pre") {
      notes.append(
        "the file does not say how text is cut (tokenizer.ggml.pre): GPT-2's way is taken")
    }
    return notes
  }

  /// The end tokens that `generation_config.json` names; none where it is not there or does not say.
  private static func generationEnds(_ folder: URL) -> [Int] {
    struct Ends: Decodable {
      let ids: [Int]

      init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: PublicKey.self)
        let key = PublicKey(stringValue: "eos_token_id")
        ids =
          values.has(key)
          ? try (try? values.decode([Int].self, forKey: key)) ?? [values.size(key)] : []
      }
    }
    let file = folder.appendingPathComponent("generation_config.json")
    let ends = try? ModelConfigurationFile(file).decoded(Ends.self)
    return (ends?.ids ?? []).filter { $0 >= 0 }
  }

  /// What tokenizers' files end in, beside JSON.
  private static let tokenizerEndings = [".model", ".txt"]

  /// The tokenizer alone; no weights are read.
  static func tokenizer(
    _ configuration: LanguageModelConfiguration
  ) throws -> any LanguageTokenizer {
    try tokenizer(
      at: configuration.tokenizerFolder,
      LanguageModelSource(URL(fileURLWithPath: configuration.weights())))
  }

  private static func tokenizer(
    at folder: URL?, _ source: LanguageModelSource
  ) throws -> any LanguageTokenizer {
    if let folder { return try LanguageTokenizers.open(folder: folder) }
    if let gguf = source.weights.gguf { return try gguf.tokenizer() }
    return try LanguageTokenizers.open(folder: source.url)
  }

  /// Weights are read where they are mapped: what does not fit is read from the disk anew at every
  /// step, which nobody wants to wait for.
  /// - Parameter memory: The machine's; nil where it is not known.
  static func requireRoom(bytes: Int, memory: SystemMemory?, path: String) throws {
    guard let memory, bytes > memory.available else { return }
    throw RunError.tooLarge(path: path, bytes: bytes, memory: memory.available)
  }
}

extension Fingerprint {
  /// A digest of what a model is read from: its folder's weights and settings, or its file.
  /// - Parameter further: Endings of names that count beside those of weights and settings.
  static func ofModel(at url: URL, further: [String] = []) throws -> String {
    guard FileSystem.isFolder(url.path) else { return try ofFile(url) }
    let endings = [".safetensors", ".json", ".bin", ".pt", ".pth"] + further
    return try ofFiles(in: url) { name in endings.contains { name.hasSuffix($0) } }
  }
}

extension GGUFFile {
  /// The tokenizer that the file's notes describe.
  fileprivate func tokenizer() throws -> any LanguageTokenizer {
    let kind = try fields.string("tokenizer.ggml.model")
    guard kind == "gpt2" else {
      throw ModelConfigurationError.bad(
        file: file.path,
        reason: "tokenizer.ggml.model: expected gpt2, found \(kind) (not supported); name a folder "
          + "with the tokenizer's own files by llm.tokenizer")
    }
    func has(_ key: String) -> Bool { fields.contains(key) }
    func reference(_ key: String) throws -> SpecialTokens.Reference? {
      guard has(key), let id = Int32(exactly: try fields.integer(key)) else { return nil }
      return .id(id)
    }
    let special = SpecialTokens(
      start: try reference("tokenizer.ggml.bos_token_id"),
      end: try reference("tokenizer.ggml.eos_token_id"),
      pad: try reference("tokenizer.ggml.padding_token_id"),
      addsStart: has("tokenizer.ggml.add_bos_token")
        ? try fields.bool("tokenizer.ggml.add_bos_token") : false)
    return try ByteLevelBPETokenizer(
      tokens: fields.strings("tokenizer.ggml.tokens"),
      merges: fields.strings("tokenizer.ggml.merges"),
      tokenTypes: has("tokenizer.ggml.token_type")
        ? fields.integers("tokenizer.ggml.token_type") : nil,
      preTokenizer: has("tokenizer.ggml.pre") ? fields.string("tokenizer.ggml.pre") : "gpt-2",
      special: special, source: file.path)
  }
}
