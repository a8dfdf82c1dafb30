/// Numbers by name, in their order: a loss's terms, or scores.
public typealias NamedValues = [(name: String, value: Double)]

extension NamedValues {
  /// Adds the same numbers of another part of a whole, each `weight` times.
  package mutating func add(_ part: NamedValues, times weight: Double) {
    let weighted = part.map { (name: $0.name, value: $0.value * weight) }
    if isEmpty {
      self = weighted
    } else {
      precondition(count == part.count, "\(part.count) numbers for \(count) names")
      for index in indices { self[index].value += weighted[index].value }
    }
  }
}
