import Autograd
import Foundation
import Tensors
import VisionEncoders

/// An image encoder as the vision model of Hugging Face's BLIP-2.
struct PublicVision {
  let encoder: EVAViT
  /// What is not exactly as in the run, in words.
  private(set) var notes: [String] = []

  /// - Parameter file: What errors name.
  /// - Throws: `ExportError.hasNoPlace`.
  init(_ tower: VisionTower, file: String) throws {
    func refused(_ reason: String) -> ExportError { .hasNoPlace(file: file, reason: reason) }
    guard let plain = tower.encoder.plain else {
      throw refused(
        "its image encoder has a norm before the first block (vision.path), and the vision model "
          + "there has none")
    }
    if tower.output.appliesFinalNorm {
      throw refused(
        "its image encoder's own norm after the last block is applied (vision.finalNorm), and the "
          + "vision model there has the trained norm in that place and no other")
    }
    if let layer = tower.output.layer, layer != tower.encoder.layerCount {
      throw refused(
        "the features are those of block \(layer) of \(tower.encoder.layerCount) (vision.layer), "
          + "and the vision model there gives the last block's")
    }
    if !(tower.encoder is EVAViT) {
      notes.append(
        "LayerScale is multiplied into the image encoder's maps, and the maps of queries, keys and "
          + "values are one: features agree to about 1e-6")
    }
    encoder = plain.fitted(toImages: tower.imageSize)
  }

  /// Says how much the norm over the features differs from the run's, as Hugging Face's models add one
  /// number to the variance in all norms of the vision model.
  mutating func compareNorm(_ ours: Float) {
    let theirs = encoder.configuration.layerNormEpsilon
    guard theirs != ours else { return }
    let side = encoder.nativeImageSize
    let features = withoutGradients {
      encoder.features(.zeros([1, 3, side, side]), output: VisionOutput(appliesFinalNorm: false))
    }.value
    let change = features.rowVariances.map { variance in
      abs(((variance + Double(ours)) / (variance + Double(theirs))).squareRoot() - 1)
    }
    notes.append(
      "the norm over the features adds \(ours) to the variance here and \(theirs) in Hugging Face's "
        + "model, which has one number for all norms of its vision model: for a grey image features "
        + String(format: "differ by %.1g of themselves at most", change.max() ?? 0))
  }
}

extension Tensor {
  /// The variance within each row.
  fileprivate var rowVariances: [Double] {
    let values = self.values
    return (0..<rowCount).map { row in
      let row = values[row * width..<(row + 1) * width].map(Double.init)
      let mean = row.reduce(0, +) / Double(row.count)
      return row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
    }
  }
}
