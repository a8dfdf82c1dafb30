import Glibc
import Tensors

/// For each pair one image that its text does not describe, and one text that does not describe its
/// image, as places in the whole batch; nil where the batch has none.
public struct HardNegatives: Equatable {
  /// For each text, the negative image.
  public let images: [Int?]
  /// For each image, the negative text.
  public let texts: [Int?]

  /// Draws negatives with the softmax of the contrastive similarities as weights, so that alike pairs
  /// come more often (Li et al. 2021, §3.2). The own pair and pairs of the same image never come.
  ///
  /// The original gives these a score of −10000 and would draw one of them where nothing else is left;
  /// such a row drops out of the matching loss here.
  /// - Parameters:
  ///   - hard: Off, all that are admissible come equally often.
  ///   - indices: The numbers of the own pairs in the global batch, for the draws.
  public static func drawn(
    from contrast: ImageTextContrast.Result, hard: Bool = true, generator: Philox, indices: [Int]
  ) -> HardNegatives {
    func draw(_ similarities: Tensor, site: UInt32) -> [Int?] {
      let width = similarities.width
      return similarities.read { similarities in
        contrast.places.enumerated().map { row, place in
          let admissible = (0..<width).filter { contrast.ids[$0] != contrast.ids[place] }
          guard !admissible.isEmpty else { return nil }
          var stream = RandomStream(
            generator, site: site, sample: UInt32(truncatingIfNeeded: indices[row]))
          let draw = stream.uniformDouble()
          if !hard { return admissible[Int(draw * Double(admissible.count))] }
          return multinomial(admissible, scores: similarities + row * width, draw: draw)
        }
      }
    }
    return HardNegatives(
      images: draw(contrast.textToImage, site: 1), texts: draw(contrast.imageToText, site: 2))
  }

  /// The candidate at which the running sum of the softmax passes the draw, in [0, 1).
  private static func multinomial(
    _ candidates: [Int], scores: UnsafePointer<Float>, draw: Double
  ) -> Int? {
    let highest = candidates.reduce(-Float.infinity) { max($0, scores[$1]) }
    let weights = candidates.map { exp(Double(scores[$0] - highest)) }
    var left = draw * weights.reduce(0, +)
    for (candidate, weight) in zip(candidates, weights) {
      left -= weight
      if left < 0 { return candidate }
    }
    return candidates.last
  }
}

extension HardNegatives {
  /// The choices of all processes, for the pairs in their order.
  package func gathered(
    of whole: WholeBatch, _ communicator: some Communicator
  ) -> HardNegatives {
    guard communicator.count > 1 else { return self }
    let all = [images, texts].map { own in
      let parts = communicator.gathered(own.map { Int64($0 ?? -1) })
      var choices = [Int?](repeating: nil, count: whole.texts.count)
      for (place, choice) in zip(whole.places.joined(), parts.joined()) where choice >= 0 {
        choices[place] = Int(choice)
      }
      return choices
    }
    return HardNegatives(images: all[0], texts: all[1])
  }
}
