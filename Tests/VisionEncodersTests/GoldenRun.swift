import Foundation
import Tensors
import TestSupport

/// One run of a golden encoder: `inputs/RUN/pixel_values`, or the only one, and what belongs to it.
struct GoldenRun: CustomStringConvertible {
  let folder: URL
  /// `RUN/`, or nothing.
  let name: String
  var description: String { "\(folder.lastPathComponent) \(name)" }

  var golden: Golden {
    get throws { try Golden(folder.appendingPathComponent("golden.safetensors")) }
  }

  var pixels: Tensor {
    get throws { try golden.tensor("inputs/\(name)pixel_values") }
  }

  /// An output of this run; nil where the golden has none.
  func output(_ output: String) throws -> Tensor? {
    let (golden, full) = (try golden, "outputs/\(name)\(output)")
    return golden.names(under: full).contains(full) ? try golden.tensor(full) : nil
  }

  /// The numbers of the outputs `FOLDER/0`, `FOLDER/1` … that the golden has for this run.
  func numbers(of output: String) throws -> [Int] {
    let start = "outputs/\(name)\(output)/"
    return try golden.names(under: start).compactMap { Int($0.dropFirst(start.count)) }.sorted()
  }

  /// All runs of the goldens whose folders' names begin so.
  static func all(beginning prefix: String) -> [GoldenRun] {
    Goldens.folders(beginning: prefix, with: "golden.safetensors").flatMap { folder in
      let golden = try? Golden(folder.appendingPathComponent("golden.safetensors"))
      return (golden?.names(under: "inputs/") ?? []).filter { $0.hasSuffix("pixel_values") }.map {
        GoldenRun(
          folder: folder, name: String($0.dropFirst("inputs/".count).dropLast("pixel_values".count))
        )
      }
    }
  }
}
