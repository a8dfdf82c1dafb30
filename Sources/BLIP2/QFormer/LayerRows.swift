import Autograd
import Layers
import Tensors

/// The rows of a pack that one layer computes, query rows first, and who sees whom.
struct LayerRows {
  /// Their places in the pack.
  let read: OutputRows
  let queryRows: Int
  let selfAttention: AttentionLayout
  let crossAttention: AttentionLayout
  /// Where each row's random draws belong.
  let places: [RandomPlace]

  init(
    read: OutputRows = OutputRows([]), queryRows: Int = 0,
    selfAttention: AttentionLayout = AttentionLayout(groups: []),
    crossAttention: AttentionLayout = AttentionLayout(groups: [])
  ) {
    self.read = read
    self.queryRows = queryRows
    self.selfAttention = selfAttention
    self.crossAttention = crossAttention
    var places = Array(repeating: RandomPlace(), count: read.count)
    for span in selfAttention.groups.flatMap(\.queries) {
      for (index, row) in span.rows.enumerated() {
        places[row] = RandomPlace(
          sample: span.place.sample, position: span.place.position + UInt32(index))
      }
    }
    self.places = places
  }

  var count: Int { read.count }
  var textRows: Int { count - queryRows }

  /// Some of these rows, where these are all of the pack.
  func reading(_ read: OutputRows, queryRows: Int) -> LayerRows {
    LayerRows(
      read: read, queryRows: queryRows, selfAttention: read.of(selfAttention),
      crossAttention: read.of(crossAttention))
  }
}
