import Foundation
import TestSupport
import WeightFiles

/// A whole public BLIP-2 with its tokenizer, its processor, pictures, and what its own library says of
/// these.
struct WholeModel: CustomStringConvertible, Sendable {
  let folder: URL
  var description: String { folder.lastPathComponent }

  static let all = Goldens.folders(beginning: "blip2-", with: "cases.json").map {
    WholeModel(folder: $0)
  }

  struct Cases: Decodable {
    let maxNewTokens: Int
    let imageToken: Int32
    let cases: [Case]
  }

  struct Case: Decodable {
    let picture: String
    let prompt: String?
    let inputIds: [Int32]
    let greedy: Answer
    let beam3: Answer
  }

  struct Answer: Decodable {
    let newIds: [Int32]
    let text: String
  }

  /// How the small files are written.
  enum Files: CaseIterable, Sendable {
    /// By transformers 4.
    case asSaved
    /// By transformers 5, over those of version 4.
    case ofVersion5
    /// By transformers 5, with `tokenizer.json` and `processor_config.json` alone.
    case ofVersion5Alone
  }

  func cases() throws -> Cases {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(
      Cases.self, from: Data(contentsOf: folder.appendingPathComponent("cases.json")))
  }

  func golden() throws -> Golden { try Golden(folder.appendingPathComponent("golden.safetensors")) }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  /// The folder with its small files in a form.
  func copy(_ files: Files, in temporary: TemporaryFolder) throws -> WholeModel {
    let copy = try temporary.copy(folder)
    if files == .asSaved { return WholeModel(folder: copy) }
    let manager = FileManager.default
    if files == .ofVersion5Alone {
      for name in [
        "spiece.model", "vocab.json", "merges.txt", "added_tokens.json", "special_tokens_map.json",
        "preprocessor_config.json",
      ] { try? manager.removeItem(at: copy.appendingPathComponent(name)) }
    }
    let newer = copy.appendingPathComponent("as-transformers-5-saves")
    for name in try manager.contentsOfDirectory(atPath: newer.path) {
      let target = copy.appendingPathComponent(name)
      try? manager.removeItem(at: target)
      try manager.copyItem(at: newer.appendingPathComponent(name), to: target)
    }
    return WholeModel(folder: copy)
  }
}

/// Tensors of a file, to be changed and written again.
typealias FileTensors = [String: WrittenTensor]

extension WeightFile {
  /// All tensors of floating-point numbers.
  func floatingTensors() throws -> FileTensors {
    try Dictionary(
      uniqueKeysWithValues: names.compactMap { name in
        let tensor = try self.tensor(named: name)
        guard tensor.form.isFloatingPoint else { return nil }
        return (name, .init(shape: tensor.shape, values: try tensor.floats()))
      })
  }
}

/// The authors' own names of stage 1 with numbers, as a golden has them beneath `weights/`.
func authorsTensors(_ golden: URL) throws -> FileTensors {
  let prefix = "weights/"
  return try Dictionary(
    uniqueKeysWithValues: SafetensorsFile(golden).floatingTensors()
      .filter { $0.key.hasPrefix(prefix) }.map {
        (String($0.key.dropFirst(prefix.count)), $0.value)
      })
}
