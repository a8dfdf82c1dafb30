import Tensors

/// A damaged copy of some bytes: a few changed, cut out, doubled or put in, and sometimes the end
/// cut off. The same seed damages in the same way.
func mutate(_ bytes: [UInt8], seed: UInt64) -> [UInt8] {
  var random = RandomStream(Philox(seed: seed), site: 77)
  var result = bytes
  for _ in 0..<Int.random(in: 1...6, using: &random) where !result.isEmpty {
    let place = Int.random(in: 0..<result.count, using: &random)
    let end = min(result.count, place + Int.random(in: 1...16, using: &random))
    switch Int.random(in: 0..<7, using: &random) {
    case 0, 1: result[place] = UInt8.random(in: 0...255, using: &random)
    case 2: result[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 3: result.removeSubrange(place..<end)
    case 4: result.insert(contentsOf: result[place..<end], at: place)
    case 5: for index in place..<end { result[index] = Bool.random(using: &random) ? 0xFF : 0 }
    default:
      if Int.random(in: 0..<4, using: &random) == 0 { result.removeLast(result.count - place) }
    }
  }
  return result
}
