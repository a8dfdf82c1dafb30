import Glibc
import Tensors

/// The logits that follow one sequence, `[vocabulary]`, for changing in place.
struct LogitRow {
  let values: UnsafeMutablePointer<Float>
  let count: Int

  /// `log(sum(exp(z)))`, which turns logits into log-probabilities; not finite where a logit is not
  /// a number, or all are minus infinity.
  func logSumOfExponentials() -> Float {
    let highest = maximumOfVectors(values, count: count)
    return highest + log(sumVectors(values, count: count) { ($0 - highest).exponential() })
  }

  /// Turns logits into log-probabilities.
  func subtract(_ logSum: Float) {
    mapVectors(values, into: values, count: count) { $0 - logSum }
  }

  /// Calls the closure with each run of places in which the largest value is of interest. Most runs
  /// hold nothing that is, and their maximum tells so at the speed of memory.
  @inline(__always)
  func forEachRun(
    where isOfInterest: (_ largest: Float) -> Bool, do body: (Range<Int>) -> Void
  ) {
    let length = 256
    for start in stride(from: 0, to: count, by: length) {
      let run = start..<min(start + length, count)
      if isOfInterest(maximumOfVectors(values + start, count: run.count)) { body(run) }
    }
  }

  /// The values that are not below a bound, in order.
  func valuesAtLeast(_ bound: Float) -> [Float] {
    var found: [Float] = []
    forEachRun(
      where: { $0 >= bound },
      do: { run in
        for place in run where values[place] >= bound { found.append(values[place]) }
      })
    return found
  }

  /// What options do to the values that follow `tokens`, which came after `priorTokens`.
  func apply(_ options: GenerationOptions, priorTokens: [Int32], tokens: [Int32]) {
    if options.repetitionPenalty != 1 {
      penalise(priorTokens + tokens, by: options.repetitionPenalty)
    }
    if tokens.count < options.minimumNewTokens {
      for token in options.endIds { values[Int(token)] = -.infinity }
    }
  }

  /// Lowers the values of the tokens, each of them once however often it came.
  private func penalise(_ tokens: [Int32], by penalty: Float) {
    let lowered = tokens.map { token in
      let value = values[Int(token)]
      return value < 0 ? value * penalty : value / penalty
    }
    for (token, value) in zip(tokens, lowered) { values[Int(token)] = value }
  }
}

extension Tensor {
  /// Calls the closure with each row's number and its values for changing in place, rows side by side
  /// on the threads.
  /// - Returns: What the closure made of each row.
  mutating func mapLogitRows<Result>(_ body: (Int, LogitRow) -> Result) -> [Result] {
    let (rows, width) = (rowCount, self.width)
    var results = [Result?](repeating: nil, count: rows)
    modify { logits in
      results.withUnsafeMutableBufferPointer { results in
        let results = results
        Parallel.forEach(rows) { row in
          results[row] = body(row, LogitRow(values: logits + row * width, count: width))
        }
      }
    }
    return results.compactMap { $0 }
  }
}
