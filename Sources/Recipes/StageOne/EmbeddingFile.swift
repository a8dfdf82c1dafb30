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
  private var tokens: [Int] = []
  private var offsets = [0]

  /// What was gathered of images, texts or pairs.
  private struct Group {
    var paths: [String] = []
    var texts: [String] = []
    var embeddings = Rows()
    var features = Rows()
  }

  /// Rows of several things, one after another, and the shape of those of the last, `[rows, width]`.
  private struct Rows {
    private var values: [Float] = []
    private var shape: [Int] = []

    static func += (rows: inout Rows, tensor: Tensor) {
      rows.values += tensor.values
      rows.shape = tensor.shape
    }

    /// `[things, rows, width]`, where all things have as many rows.
    func stacked(_ path: String) -> CheckpointArray {
      let count = values.count / shape.reduce(1, *)
      return CheckpointArray(path: path, shape: [count] + shape, values: values)
    }

    /// `[rows, width]`.
    func flat(_ path: String) -> CheckpointArray {
      CheckpointArray(path: path, shape: [values.count / shape[1], shape[1]], values: values)
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
      image.paths.append(path)
      image.embeddings += embeddings
      image.features += features
    case .text(let text, let tokens, let embeddings, let features):
      self.text.texts.append(text)
      self.text.embeddings += embeddings
      self.text.features += features
      self.tokens += tokens.map(Int.init)
      offsets.append(self.tokens.count)
    case .pair(let path, let text, let embeddings):
      pair.paths.append(path)
      pair.texts.append(text)
      pair.embeddings += embeddings
    }
  }

  /// Writes the file, whole or not at all.
  /// - Throws: `SystemFailure`, `CheckpointError`.
  public consuming func finish() throws {
    guard !isLines else { return try file.commit() }
    var arrays: [CheckpointArray] = []
    var lists: [String: ResultWriter.List] = [:]
    if !image.paths.isEmpty {
      arrays.append(image.embeddings.stacked("image/embeddings"))
      arrays.append(image.features.stacked("image/features"))
      lists["image/paths"] = .names(image.paths)
    }
    if !text.texts.isEmpty {
      arrays.append(text.embeddings.flat("text/embeddings"))
      arrays.append(text.features.flat("text/features"))
      lists["text/offsets"] = .integers(offsets)
      lists["text/tokens"] = .integers(tokens)
      lists["text/texts"] = .texts(text.texts)
    }
    if !pair.paths.isEmpty {
      arrays.append(pair.embeddings.stacked("multimodal/embeddings"))
      lists["multimodal/paths"] = .names(pair.paths)
      lists["multimodal/texts"] = .texts(pair.texts)
    }
    try ResultWriter.write(to: URL(fileURLWithPath: file.path), arrays: arrays, lists: lists)
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
