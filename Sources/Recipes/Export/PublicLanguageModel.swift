import LanguageModels
import Layers
import PublicFormats
import Tensors
import WeightFiles

/// A language model as a part of Hugging Face's BLIP-2, with a row for the token that stands where an
/// image's queries go.
struct PublicLanguageModel {
  private let model: any LanguageModel
  /// The rows of its tables.
  private let rows: Int
  private let ends: [Int]
  private let start: Int?
  private let padding: Int

  /// - Parameters:
  ///   - ends: The tokens that end a generation.
  ///   - imageToken: Has the row behind all others where the tables have no room for it.
  init(
    _ model: any LanguageModel, ends: [Int32], start: Int32?, padding: Int32, imageToken: Int32
  ) {
    self.model = model
    rows = max(model.vocabularySize, Int(imageToken) + 1)
    self.ends = ends.map { Int($0) }
    self.start = (start ?? model.tokens.start).map { Int($0) }
    self.padding = Int(padding)
  }

  var isDecoder: Bool { !model.hasEncoder }

  /// The `text_config` of `config.json`. Its end is that of the trained texts, such as OPT's line feed.
  var configuration: [String: Any] {
    var values = model.publicConfiguration
    values["architectures"] = nil
    values["vocab_size"] = rows
    values["eos_token_id"] = ends[0]
    return values
  }

  /// What `generation_config.json` says.
  var generation: [String: Any] {
    var values: [String: Any] = [
      "eos_token_id": ends.count == 1 ? ends[0] as Any : ends, "pad_token_id": padding,
    ]
    if let decoderStart = model.decoderStart {
      values["decoder_start_token_id"] = Int(decoderStart)
    } else if let start {
      values["bos_token_id"] = start
    }
    return values
  }

  /// Its weights, whose names begin with `language_model.`; each is expanded when it is written.
  func tensors(_ precision: WrittenTensor.Precision) -> [String: WrittenTensor] {
    var format = model.publicFormat
    format.prefix = "language_model."
    let parameters = model.namedParameters
    var tensors = format.tensors(of: parameters, precision: precision)
    let tables = ["wordEmbeddings", "outputTable"]
    for entry in parameters where tables.contains(entry.name) && rows > entry.parameter.shape[0] {
      let (parameter, count) = (entry.parameter, rows)
      tensors[format.publicName(of: entry.name)] = WrittenTensor(
        shape: [rows, parameter.shape[1]], precision: precision
      ) { parameter.value.withMeanRows(upTo: count) }
    }
    return tensors
  }
}

extension Tensor {
  /// The table with further rows, each the mean of all: of such a row a head makes the mean of the other
  /// logits, so that it is never the likeliest word.
  fileprivate func withMeanRows(upTo count: Int) -> Tensor {
    let (rows, width) = (shape[0], shape[1])
    let values = self.values
    var sums = [Double](repeating: 0, count: width)
    for (place, value) in values.enumerated() { sums[place % width] += Double(value) }
    let mean = sums.map { Float($0 / Double(rows)) }
    return Tensor(
      values + (rows..<count).flatMap { _ in mean }, shape: [count, width])
  }
}
