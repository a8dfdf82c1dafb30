import Autograd
import Foundation
import Layers
import PublicFormats
import Tensors

/// A model that continues texts, and that can be told what to speak of by rows in place of words.
///
/// Where it is frozen, nothing is kept for its weights, yet gradients pass through it to its input.
public protocol LanguageModel: PublicModel {
  /// What `config.json` calls the family in `model_type`.
  static var modelTypes: [String] { get }

  /// Reads a family's configuration and weights; the weights stay where they are mapped.
  /// - Throws: `WeightFileError` for weights, `ModelConfigurationError` for the configuration.
  init(_ source: LanguageModelSource) throws

  /// The width of a word embedding, and so of a soft prompt's rows.
  var embeddingWidth: Int { get }
  /// The number of rows of the output table; a tokenizer may use fewer.
  var vocabularySize: Int { get }
  /// The most rows that a sequence may have, its prompt among them; nil where nothing limits it.
  var maximumLength: Int? { get }
  /// The tokens that begin, end and fill a text.
  var tokens: LanguageModelTokens { get }
  /// Where an encoder of its own reads the input: the token that the decoder begins with. Nil where
  /// input and text are one sequence.
  var decoderStart: Int32? { get }

  /// The word embeddings of tokens, `[tokens, embedding width]`.
  func embeddings(of tokens: [Int32]) -> Variable

  /// The states from which each token of the targets is predicted, given the input and the targets
  /// before it.
  /// - Parameters:
  ///   - targets: One for each sequence of the input.
  /// - Returns: One row for each target token, sequence after sequence.
  func states(predicting targets: [[Int32]], after input: PackedRows) -> Variable

  /// The output table, `[vocabulary, width]`, whose products with the head's input are word logits.
  var outputWeight: Weight { get }

  /// What the output table multiplies: the states, scaled where the family has it so.
  func headInput(_ states: Variable) -> Variable

  /// Sequences that begin with the input and go on token by token.
  func decodingSession(after input: PackedRows) -> any DecodingSession
}

/// The tokens with a meaning of their own.
public struct LanguageModelTokens: Equatable, Sendable {
  /// What stands in front of a text, where the family has such a token.
  public var start: Int32?
  /// What ends a text.
  public var end: Int32
  /// Others that end one too, as the chat forms of Llama 3 have them.
  public var furtherEnds: [Int32] = []
  /// What fills up short texts; it is never attended to here.
  public var padding: Int32

  public init(start: Int32?, end: Int32, padding: Int32) {
    self.start = start
    self.end = end
    self.padding = padding
  }
}

/// Sequences of rows without padding, end to end.
public struct PackedRows {
  /// `[sum of lengths, width]`.
  public let rows: Variable
  public let lengths: [Int]

  public init(_ rows: Variable, lengths: [Int]) {
    precondition(
      rows.value.rowCount == lengths.reduce(0, +) && lengths.allSatisfy { $0 > 0 },
      "sequences of \(lengths) rows in shape \(rows.shape)")
    self.rows = rows
    self.lengths = lengths
  }

  /// Where each sequence lies.
  var ranges: [Range<Int>] { lengths.consecutiveRanges() }

  /// - Precondition: There is a target for each sequence, and none is empty.
  func require(targets: [[Int32]]) {
    precondition(
      targets.count == lengths.count && targets.allSatisfy { !$0.isEmpty },
      "\(targets.count) targets, none of them empty, for \(lengths.count) inputs")
  }

  /// The same sequences, each with further rows at its end.
  /// - Parameters:
  ///   - further: `[sum of counts, width]`, sequence after sequence.
  ///   - counts: The further rows of each sequence; 0 is allowed.
  public func followed(by further: Variable, _ counts: [Int]) -> PackedRows {
    precondition(
      counts.count == lengths.count && further.value.rowCount == counts.reduce(0, +),
      "further rows \(further.shape) as \(counts) for sequences of \(lengths)")
    let places = zip(ranges, counts.consecutiveRanges(from: rows.value.rowCount))
      .flatMap { $0.map(Int32.init) + $1.map(Int32.init) }
    return PackedRows(
      Variable.concatenatedRows([rows, further]).gatheredRows(places),
      lengths: zip(lengths, counts).map { $0 + $1 })
  }
}

extension [Int] {
  /// Where runs of these lengths lie, one behind the other.
  func consecutiveRanges(from first: Int = 0) -> [Range<Int>] {
    var start = first
    return map { length in
      defer { start += length }
      return start..<start + length
    }
  }
}

extension LanguageModel {
  /// Whether an encoder of its own reads the input, so that a prompt ends before the answer.
  public var hasEncoder: Bool { decoderStart != nil }

  /// The family's name in configurations and on the command line.
  public var family: String { Self.modelTypes[0] }

  public func headInput(_ states: Variable) -> Variable { states }

  /// Word logits of the states from which tokens are predicted, `[rows, vocabulary]`.
  public func logits(_ states: Variable) -> Variable { headInput(states).linear(outputWeight) }

  /// The mean cross-entropy of the targets' tokens, each predicted from the input and the tokens
  /// before it (Li et al. 2023, §3.2): language-model loss for decoders, prefix-LM loss where an
  /// encoder reads the input. Logits are computed only where a token is predicted.
  /// - Returns: A variable of shape [].
  public func loss(of targets: [[Int32]], after input: PackedRows) -> Variable {
    headInput(states(predicting: targets, after: input))
      .linearCrossEntropy(outputWeight, classes: targets.flatMap { $0 })
  }

  /// Word embeddings of texts, packed.
  public func embeddings(ofTexts texts: [[Int32]]) -> PackedRows {
    PackedRows(embeddings(of: texts.flatMap { $0 }), lengths: texts.map(\.count))
  }
}
