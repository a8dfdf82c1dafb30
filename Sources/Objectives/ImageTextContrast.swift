import Autograd
import Tensors

/// Image–text contrastive learning, ITC (Li et al. 2023, §3.1): own pairs are to be more alike than
/// all others, where the similarity of an image and a text is the **maximum over the queries**.
public struct ImageTextContrast {
  public var labelSmoothing: Float = 0.1
  /// Keeps the gradient of the features compared against. The authors' gathering drops it: the loss
  /// image-to-text then trains the image features alone, text-to-image the text features.
  public var gradientThroughNegatives = false

  public init() {}

  public struct Result {
    /// The mean of both directions, of shape [].
    public let loss: Variable
    /// Own images against all texts, divided by the temperature, `[own, all]`.
    public let imageToText: Tensor
    /// Own texts against all images, divided by the temperature, `[own, all]`.
    public let textToImage: Tensor
    /// The image of each column: ids of all pairs.
    public let ids: [Int64]
    /// Which of all pairs each row is.
    public let places: [Int]
  }

  /// - Parameters:
  ///   - images: Unit features of the own queries, `[own · queries, embedding]`.
  ///   - texts: Unit features of the own texts, `[own, embedding]`.
  ///   - whole: All pairs; those of one image are all positive.
  ///   - temperature: The learned divisor, of shape [].
  package func callAsFunction(
    images: Variable, texts: Variable, of whole: WholeBatch, temperature: Variable,
    communicator: some Communicator
  ) -> Result {
    let own = texts.shape[0]
    let queries = images.value.rowCount / own
    func compared(_ own: Variable, group: Int) -> Variable {
      gradientThroughNegatives
        ? whole.gathered(own, group: group, communicator)
        : Variable(whole.gathered(own.value, group: group, communicator))
    }
    let comparedTexts = compared(texts, group: 1)
    let comparedImages = compared(images, group: queries)
    let imageToText = images.product(comparedTexts, .secondTransposed)
      .maximumOfRows(inGroupsOf: queries).divided(by: temperature)
    let textToImage = comparedImages.product(texts, .secondTransposed)
      .maximumOfRows(inGroupsOf: queries).transposed().divided(by: temperature)
    let targets = targets(of: whole)
    let loss =
      (imageToText.crossEntropy(targets: targets) + textToImage.crossEntropy(targets: targets))
      * 0.5
    return Result(
      loss: loss, imageToText: imageToText.value, textToImage: textToImage.value,
      ids: whole.imageIds, places: whole.ownPlaces)
  }

  /// `[own, all]`: `1 − s` spread evenly over the pairs of the same image, and `s / all` everywhere.
  private func targets(of whole: WholeBatch) -> Tensor {
    let ids = whole.imageIds
    var counts: [Int64: Float] = [:]
    for id in ids { counts[id, default: 0] += 1 }
    let everywhere = labelSmoothing / Float(ids.count)
    let values = whole.ownPlaces.flatMap { row in
      ids.map { id in
        everywhere + (id == ids[row] ? (1 - labelSmoothing) / (counts[id] ?? 1) : 0)
      }
    }
    return Tensor(values, shape: [whole.ownPlaces.count, ids.count])
  }
}
