import Tensors

/// A bias of the scores that depends on the head and the distance alone (Raffel et al. 2020, §2.1).
public struct RelativeBias {
  /// `[buckets, heads]`.
  public let table: Variable
  /// The row of the table for a distance: the key's position less the query's.
  public let bucket: @Sendable (_ distance: Int) -> Int

  public init(table: Variable, bucket: @escaping @Sendable (_ distance: Int) -> Int) {
    self.table = table
    self.bucket = bucket
  }
}

/// The biases of each head as lines over the distances, so that a row of scores adds a piece of one.
struct BiasLines {
  private let bias: RelativeBias
  private let headCount: Int
  /// The distances that occur.
  private let distances: Range<Int>
  /// `[heads, distances]`.
  private let lines: Tensor

  /// - Parameter layout: Its rows' positions and keys decide which distances occur.
  init(_ bias: RelativeBias, layout: AttentionLayout, headCount: Int) {
    self.bias = bias
    self.headCount = headCount
    let spans = layout.groups.flatMap(\.queries).filter { !$0.rows.isEmpty }
    let last = spans.map { Int($0.place.position) + $0.rows.count - 1 }.max() ?? 0
    let end = spans.map { $0.visibleKeys - Int($0.place.position) }.max() ?? 0
    let distances = -last..<max(end, -last)
    self.distances = distances
    lines = bias.table.value.read { table in
      Tensor(shape: [headCount, distances.count]) { lines in
        for (place, distance) in distances.enumerated() {
          let row = table + bias.bucket(distance) * headCount
          for head in 0..<headCount { lines[head * distances.count + place] = row[head] }
        }
      }
    }
  }

  /// The place of a row's first key in `[heads, distances]`.
  private func start(_ row: AttentionTile.Row) -> Int {
    row.head * distances.count - row.position - distances.lowerBound
  }

  /// Multiplies a row of scores with the scale and adds the biases of the keys that it sees.
  func add(to scores: UnsafeMutablePointer<Float>, scale: Float, _ row: AttentionTile.Row) {
    lines.read { lines in
      mapVectors(lines + start(row), scores, into: scores, count: row.visible) { $1 * scale + $0 }
    }
  }

  // MARK: Gradient

  var needsGradient: Bool { bias.table.needsGradient }

  /// Zeroed sums of scores' gradients, `[groups, heads, distances]`.
  func emptyGradient(groups: Int) -> Tensor { .zeros([groups, headCount, distances.count]) }

  /// Adds a row's gradients of scores to those of its group.
  func addGradient<Number: FusedNumber>(
    _ ds: UnsafePointer<Number>, _ row: AttentionTile.Row, group: Int, to sums: Tensor
  ) {
    let line = sums.writable + (group * headCount * distances.count + start(row))
    addVectors(ds, to: line, count: row.visible)
  }

  /// The table's gradient, `[buckets, heads]`.
  /// - Parameter scale: That of the scores, which their gradients have.
  func tableGradient(_ sums: Tensor, scale: Float) -> Tensor {
    let whole = sums.reshaped([sums.shape[0], headCount * distances.count]).columnSums()
    return whole.read { whole in
      var gradient = Tensor.zeros(bias.table.shape)
      gradient.modify { gradient in
        for (place, distance) in distances.enumerated() {
          let row = gradient + bias.bucket(distance) * headCount
          for head in 0..<headCount {
            row[head] += whole[head * distances.count + place] / scale
          }
        }
      }
      return gradient
    }
  }
}
