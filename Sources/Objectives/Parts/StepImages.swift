import Autograd
import Tensors

/// The image features that a process has in a step: its own, and those that it judges for others.
package struct StepImages<Processes: Communicator> {
  /// `[pairs · tokens, width]`.
  private let own: Variable
  private let tokens: Int
  private let ownPlaces: [Int]
  private let communicator: Processes
  /// By rank, the places of the images that came from there, and that went there.
  private let received: [[Int]]
  private let sent: [[Int]]
  /// By rank, the features that came from there, `[images · tokens, width]`.
  private let foreign: [DetachedLeaf?]
  /// Whether any process wants images of another.
  private let isExchanging: Bool

  /// Sends what others want, and takes what is wanted here.
  /// - Parameters:
  ///   - features: `[pairs, tokens, width]`.
  ///   - wanted: By rank, the places of the images that are wanted there.
  package init(
    _ features: Variable, tokens: Int, whole: WholeBatch, wanted: [[Int]],
    _ communicator: Processes
  ) {
    self.own = features
    self.tokens = tokens
    self.communicator = communicator
    let held = whole.ownPlaces
    ownPlaces = held
    isExchanging = wanted.contains { !$0.isEmpty }
    let ownSet = Set(held)
    sent = wanted.map { $0.filter(ownSet.contains) }
    let own = wanted[whole.rank]
    received = whole.places.map { places in own.filter(Set(places).contains) }
    guard isExchanging else {
      foreign = received.map { _ in nil }
      return
    }
    let rows = sent.map { places in
      places.isEmpty
        ? nil : StepImages.rows(features, held, places, tokens: tokens).value
    }
    foreign = communicator.exchanged(rows).map { rows in
      rows.map { DetachedLeaf($0, needsGradient: features.needsGradient) }
    }
  }

  /// Some of the images that are held somewhere, `[images · tokens, width]`: those that lie side by side
  /// as one piece.
  private static func rows(
    _ features: Variable, _ held: [Int], _ places: [Int], tokens: Int
  ) -> Variable {
    var runs: [Range<Int>] = []
    for place in places {
      guard let number = held.firstIndex(of: place) else {
        preconditionFailure("image \(place) is not among those that are here")
      }
      if let last = runs.last, last.upperBound == number {
        runs[runs.count - 1] = last.lowerBound..<number + 1
      } else {
        runs.append(number..<number + 1)
      }
    }
    let pieces = runs.map { features.rows($0.lowerBound * tokens..<$0.upperBound * tokens) }
    return .concatenatedRows(pieces)
  }

  /// The features of images, by their places: `[images, tokens, width]`.
  package func features(of places: [Int]) -> Variable {
    let holders: [(places: [Int], features: Variable)] =
      [(ownPlaces, own)]
      + zip(received, foreign).compactMap { places, cut in cut.map { (places, $0.variable) } }
    var (pieces, next) = ([Variable](), 0)
    while next < places.count {
      guard let holder = holders.first(where: { $0.places.contains(places[next]) }) else {
        preconditionFailure("image \(places[next]) is not here")
      }
      let here = places[next...].prefix { holder.places.contains($0) }
      pieces.append(StepImages.rows(holder.features, holder.places, Array(here), tokens: tokens))
      next = here.endIndex
    }
    return Variable.concatenatedRows(pieces).reshaped([
      places.count, tokens, own.shape[own.shape.count - 1],
    ])
  }

  /// The gradient of the own features, with what others made of those that were sent there.
  /// - Parameter gradient: What was made of them here.
  package func ownGradient(_ gradient: Tensor?, _ gradients: Gradients) -> Tensor? {
    guard isExchanging, own.needsGradient else { return gradient }
    let back = communicator.exchanged(
      foreign.map { cut in
        cut.map { $0.takeGradient(from: gradients) ?? .zeros($0.variable.shape) }
      })
    var values = gradient?.values ?? [Float](repeating: 0, count: own.value.count)
    let size = tokens * own.shape[own.shape.count - 1]
    for (places, rows) in zip(sent, back) {
      guard let rows else { continue }
      let added = rows.values
      for (number, place) in places.enumerated() {
        guard let target = ownPlaces.firstIndex(of: place) else { continue }
        for index in 0..<size { values[target * size + index] += added[number * size + index] }
      }
    }
    return Tensor(values, shape: own.shape)
  }
}
