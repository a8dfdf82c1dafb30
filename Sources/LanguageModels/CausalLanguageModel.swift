import Autograd
import Layers
import Tensors

/// A decoder whose input and text are one sequence.
protocol CausalLanguageModel: LanguageModel {
  var layerCount: Int { get }

  /// What the head reads, for every row that the pass reads.
  /// - Parameter embeddings: `[rows, embedding width]`.
  func states(_ embeddings: Variable, _ pass: SequencePass) -> Variable
}

extension CausalLanguageModel {
  public var decoderStart: Int32? { nil }

  public func states(predicting targets: [[Int32]], after input: PackedRows) -> Variable {
    input.require(targets: targets)
    // The last token of a target is predicted, and predicts nothing.
    let texts = targets.map { Array($0.dropLast()) }
    let read = texts.flatMap { $0 }
    let whole =
      read.isEmpty ? input : input.followed(by: embeddings(of: read), texts.map(\.count))
    let predicting = zip(whole.ranges, targets).map { $0.suffix($1.count) }
    return states(whole.rows, .causal(whole.lengths, reading: OutputRows(predicting)))
  }

  public func decodingSession(after input: PackedRows) -> any DecodingSession {
    CausalSession(model: self, input: input)
  }
}

/// Sequences of a decoder that grow token by token.
private final class CausalSession: DecodingSession {
  private let model: any CausalLanguageModel
  private let input: PackedRows
  private let memory: KVCache

  init(model: any CausalLanguageModel, input: PackedRows) {
    self.model = model
    self.input = input
    memory = KVCache(layers: model.layerCount, lengths: input.lengths)
  }

  var vocabularySize: Int { model.vocabularySize }

  func start() -> Tensor {
    withoutGradients {
      let last = OutputRows(input.ranges.map { $0.suffix(1) })
      let states = model.states(
        input.rows, .causal(input.lengths, memory: memory, reading: last))
      return model.logits(states).value
    }
  }

  func advance(_ tokens: [Int32], from parents: [Int]) -> Tensor {
    withoutGradients {
      memory.reorder(parents)
      let states = model.states(model.embeddings(of: tokens), SequencePass(step: memory))
      memory.advance()
      return model.logits(states).value
    }
  }
}
