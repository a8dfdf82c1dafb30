import Layers

/// What was not finite in a step that was skipped.
struct StepProblem: CustomStringConvertible {
  let losses: String
  /// The first parameter that is not finite itself.
  let parameter: String?
  /// The first parameter whose gradient is not.
  let gradient: String?

  /// The first frozen parameter that is not finite.
  let frozen: String?

  init(_ step: StepOutcome, _ optimizer: AdamW, frozenParameters: [NamedParameter]) {
    losses = step.terms.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
    parameter = optimizer.entries.first { $0.parameter.value.hasNonFinite }?.name
    // They are many, and sought only where something went wrong.
    frozen =
      parameter == nil ? frozenParameters.first { $0.parameter.value.hasNonFinite }?.name : nil
    gradient =
      optimizer.entries.first { entry in
        entry.parameter.gradient(in: step.gradients).map { !$0.squaredNorm().isFinite } ?? false
      }?.name
  }

  var description: String {
    var text = "Losses: \(losses)."
    if let parameter { text += " The parameter \(parameter) is not finite itself." }
    if let frozen {
      return text + " The frozen parameter \(frozen) is not finite: its file is broken."
    }
    if let gradient { text += " The first gradient that is not finite: \(gradient)." }
    return text
  }
}
