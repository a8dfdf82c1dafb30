import Autograd
import Tensors

/// What a process knows of the batch that all train together: every pair in the order of its number, but
/// of images no more than which they are.
package struct WholeBatch {
  /// The number of each pair in the global batch.
  package let indices: [Int]
  /// Which image each pair shows.
  package let imageIds: [Int64]
  /// `[CLS] … [SEP]`.
  package let texts: [[Int32]]
  /// By rank, the places of its pairs in the order of all.
  package let places: [[Int]]
  /// This process's rank.
  package let rank: Int

  /// The places of this process's pairs.
  package var ownPlaces: [Int] { places[rank] }
  /// Tokens that generation predicts.
  package var targetCount: Int { texts.reduce(0) { $0 + $1.count - 1 } }

  /// Tells all others of the own pairs, and hears of theirs.
  package init(
    indices own: [Int], imageIds ownIds: [Int64], texts ownTexts: [[Int32]],
    _ communicator: some Communicator
  ) {
    rank = communicator.rank
    let parts = communicator.gathered(WholeBatch.message(own, ownIds, ownTexts)).map(
      WholeBatch.pairs)
    let pairs = parts.flatMap { $0 }.sorted { $0.number < $1.number }
    let placeOfNumber = Dictionary(
      uniqueKeysWithValues: pairs.enumerated().map { ($0.element.number, $0.offset) })
    places = parts.map { $0.compactMap { placeOfNumber[$0.number] } }
    indices = pairs.map(\.number)
    imageIds = pairs.map(\.imageId)
    texts = pairs.map(\.text)
  }

  private typealias Pair = (number: Int, imageId: Int64, text: [Int32])

  /// Each pair as its number, its image, the length of its text, and the text.
  private static func message(
    _ indices: [Int], _ imageIds: [Int64], _ texts: [[Int32]]
  ) -> [Int64] {
    texts.indices.flatMap { pair in
      [Int64(indices[pair]), imageIds[pair], Int64(texts[pair].count)]
        + texts[pair].map(Int64.init)
    }
  }

  private static func pairs(_ message: [Int64]) -> [Pair] {
    var pairs: [Pair] = []
    var place = 0
    while place < message.count {
      let end = place + 3 + Int(message[place + 2])
      pairs.append(
        (Int(message[place]), message[place + 1], message[place + 3..<end].map { Int32($0) }))
      place = end
    }
    return pairs
  }

  /// The rows of all pairs in their order.
  /// - Parameters:
  ///   - rows: `[own pairs · group, width]`.
  ///   - group: Rows of a pair.
  /// - Returns: `[pairs · group, width]`.
  package func gathered(_ rows: Tensor, group: Int = 1, _ communicator: some Communicator) -> Tensor
  {
    guard places.count > 1 else { return rows }
    let byRank = Variable.concatenatedRows(communicator.gathered(rows).map { Variable($0) })
    return byRank.gatheredRows(rowsByRank(group: group)).value
  }

  /// The same where the own rows get the gradients of what all processes make of them.
  package func gathered(
    _ rows: Variable, group: Int = 1, _ communicator: some Communicator
  ) -> Variable {
    guard places.count > 1 else { return rows }
    let own = ownPlaces.flatMap { place in (0..<group).map { Int32(place * group + $0) } }
    return rows.replaced(by: gathered(rows.value, group: group, communicator)) { dy in
      Variable(communicator.summed(dy)).gatheredRows(own).value
    }
  }

  /// For each row in the order of all pairs, where it stands in the order of ranks.
  private func rowsByRank(group: Int) -> [Int32] {
    var rows = [Int32](repeating: 0, count: imageIds.count * group)
    for (row, place) in places.joined().enumerated() {
      for member in 0..<group { rows[place * group + member] = Int32(row * group + member) }
    }
    return rows
  }
}
