import BLIP2
import Configuration
import Foundation
import Training

extension StageOneRecipe {
  /// The outcome, for people and for programs.
  public struct Retrieval {
    public let text: String
    let result: RetrievalEvaluation.Result
    let values: NamedValues
    let file: any TrainedModel

    /// What each image and each text is nearest to: a JSON object each.
    public func rankings() throws -> [String] { try result.rankingLines() }

    /// One JSON object with the checkpoint, its step and every number.
    public var json: String { get throws { try file.json(values) } }
  }
}

extension TrainedModel {
  /// One JSON object with the checkpoint, its step and what was measured of it.
  func json(_ values: NamedValues) throws -> String {
    var object: [String: Any] = ["checkpoint": url.path, "step": metadata.step]
    for (name, value) in values { object[name] = value }
    let data = try JSONSerialization.data(
      withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
    return String(decoding: data, as: UTF8.self)
  }
}

extension LoadedRecipe where R == StageOneRecipe {
  /// Retrieval on the held-out pairs.
  /// - Throws: ``Interrupted``, and the errors of the files that are read.
  public func retrieval() throws -> StageOneRecipe.Retrieval {
    guard let dataset = recipe.data.validation else {
      throw ConfigurationError.invalidValue(
        field: "data.validation.path", found: "null", expected: DataSourceWords.kinds,
        advice: "name one by --set data.validation.path=LIST")
    }
    let result = try recipe.retrieval.run(on: dataset)
    guard result.isFinite else { throw recipe.model.notFinite("the cosines are") }
    let heading = "\(file.url.path), step \(file.metadata.step)"
    return StageOneRecipe.Retrieval(
      text: heading + "\n" + result.table, result: result,
      values: result.values + [
        ("images", Double(result.set.images.count)), ("texts", Double(result.set.texts.count)),
      ], file: file)
  }
}
