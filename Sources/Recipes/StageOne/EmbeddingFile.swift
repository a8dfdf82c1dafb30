import Checkpointing
import Files
import Foundation
import Tensors
import Training

/// Where features go: an HDF5 file (`.h5`, `.hdf5`) or JSON lines (`.jsonl`).
///
/// HDF5 holds, each group only where there is such a thing:
/// - `image/embeddings`, `[images, queries, width]`, `image/features`, `[images, queries, embedding]`,
///   and `image/paths`;
/// - `text/embeddings`, `[tokens, width]`, and `text/features`, `[tokens, embedding]`, of all texts one
///   after another; `text/offsets`, `[texts + 1]`, says where each begins; `text/tokens`, `text/texts`;
/// - `multimodal/embeddings`, `[pairs, queries, width]`, `multimodal/paths` and `multimodal/texts`.
///
/// Paths that are not UTF-8 have their own bytes in HDF5, and in JSON halves of surrogate pairs for
/// single bytes, as Python writes them.
///
/// JSON lines are written as they come. The file is whole or not there. HDF5 is
/// gathered in memory: about 160 KB an image at the sizes of the paper.
public struct EmbeddingFile: ~Copyable {
  /// Where JSON lines go; for HDF5 it stays empty, and shows before hours of work that a file can be made.
  private let file: AtomicFile
  private let isLines: Bool
  private var image = Group()
  private var text = Group()
  private var pair = Group()
  private var paths: [String] = []
  private var pairPaths: [String] = []
  private var pairTexts: [String] = []
  private var texts: [String] = []
  private var tokens: [Int] = []
  private var offsets = [0]

  /// Rows that were gathered, `[rows, width]`, of so many things.
  private struct Group {
    var count = 0
    var embeddings: [Float] = []
    var features: [Float] = []
    var shapes: (embeddings: [Int], features: [Int]) = ([], [])

    mutating func add(_ embeddings: Tensor, _ features: Tensor? = nil) {
      count += 1
      self.embeddings += embeddings.values
      shapes.embeddings = embeddings.shape
      guard let features else { return }
      self.features += features.values
      shapes.features = features.shape
    }
  }

  /// - Throws: `RunError.unknownOutputForm` for another ending of the name, `SystemFailure` where
  ///   nothing can be written there.
  public init(_ path: String) throws {
    let ending = FilePath.ending(of: path)
    isLines = ending == "jsonl"
    guard isLines || ["h5", "hdf5"].contains(ending) else {
      throw RunError.unknownOutputForm(file: path, expected: [".h5", ".hdf5", ".jsonl"])
    }
    file = try AtomicFile(path)
  }

  public mutating func add(_ result: StageOneRecipe.Embedding) throws {
    guard !isLines else {
      return try file.file.append(Array("\(EmbeddingFile.line(result))\n".utf8))
    }
    switch result {
    case .image(let path, let embeddings, let features):
      image.add(embeddings, features)
      paths.append(path)
    case .text(let text, let tokens, let embeddings, let features):
      self.text.add(embeddings, features)
      texts.append(text)
      self.tokens += tokens.map(Int.init)
      offsets.append(self.tokens.count)
    case .pair(let path, let text, let embeddings):
      pair.add(embeddings)
      pairPaths.append(path)
      pairTexts.append(text)
    }
  }

  /// Writes the file, whole or not at all.
  /// - Throws: `SystemFailure`, `CheckpointError`.
  public consuming func finish() throws {
    guard !isLines else { return try file.commit() }
    var arrays: [CheckpointArray] = []
    var lists: [String: ResultWriter.List] = [:]
    if image.count > 0 {
      arrays += stacked("image", image)
      lists["image/paths"] = .names(paths)
    }
    if text.count > 0 {
      arrays.append(flat("text/embeddings", text.embeddings, text.shapes.embeddings))
      arrays.append(flat("text/features", text.features, text.shapes.features))
      lists["text/offsets"] = .integers(offsets)
      lists["text/tokens"] = .integers(tokens)
      lists["text/texts"] = .texts(texts)
    }
    if pair.count > 0 {
      arrays += stacked("multimodal", pair)
      lists["multimodal/paths"] = .names(pairPaths)
      lists["multimodal/texts"] = .texts(pairTexts)
    }
    try ResultWriter.write(to: URL(fileURLWithPath: file.path), arrays: arrays, lists: lists)
  }

  private func stacked(_ name: String, _ group: Group) -> [CheckpointArray] {
    var arrays = [
      CheckpointArray(
        path: "\(name)/embeddings", shape: [group.count] + group.shapes.embeddings,
        values: group.embeddings)
    ]
    if !group.features.isEmpty {
      arrays.append(
        CheckpointArray(
          path: "\(name)/features", shape: [group.count] + group.shapes.features,
          values: group.features))
    }
    return arrays
  }

  private func flat(_ path: String, _ values: [Float], _ shape: [Int]) -> CheckpointArray {
    CheckpointArray(path: path, shape: [values.count / shape[1], shape[1]], values: values)
  }

  private static func line(_ result: StageOneRecipe.Embedding) throws -> String {
    try FileName.json(result.path.map { [$0] } ?? []) { names in
      var object = object(result)
      if let path = names.first { object["image"] = path }
      return String(
        decoding: try JSONSerialization.data(
          withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes]),
        as: UTF8.self)
    }
  }

  private static func object(_ result: StageOneRecipe.Embedding) -> [String: Any] {
    switch result {
    case .image(let path, let embeddings, let features):
      return ["image": path, "embeddings": rows(embeddings), "features": rows(features)]
    case .text(let text, let tokens, let embeddings, let features):
      return [
        "text": text, "tokens": tokens.map(Int.init), "embeddings": rows(embeddings),
        "features": rows(features),
      ]
    case .pair(let path, let text, let embeddings):
      return ["image": path, "text": text, "multimodal": rows(embeddings)]
    }
  }

  /// Each number as the shortest decimal that reads back as the same float32.
  private static func rows(_ tensor: Tensor) -> [[Any]] {
    let (values, width) = (tensor.values, tensor.shape[1])
    return stride(from: 0, to: values.count, by: width).map { start in
      values[start..<start + width].map { NSDecimalNumber(string: $0.description) }
    }
  }
}

extension StageOneRecipe.Embedding {
  /// The image's, where there is one.
  fileprivate var path: String? {
    switch self {
    case .image(let path, _, _), .pair(let path, _, _): return path
    case .text: return nil
    }
  }
}
