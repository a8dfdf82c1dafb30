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
    /// The image of each column or row: ids of all pairs, and where the own ones begin.
    public let ids: [Int64]
    public let offset: Int
  }

  /// - Parameters:
  ///   - images: Unit features of the own queries, `[own · queries, embedding]`.
  ///   - texts: Unit features of the own texts, `[own, embedding]`.
  ///   - imageIds: Which image each own pair shows; pairs of one image are all positive.
  ///   - temperature: The learned divisor, of shape [].
  public func callAsFunction(
    images: Variable, texts: Variable, imageIds: [Int64], temperature: Variable,
    communicator: some Communicator
  ) -> Result {
    let own = texts.shape[0]
    let queries = images.value.rowCount / own
    let allImages = communicator.gathered(images.value)
    let allTexts = communicator.gathered(texts.value)
    let ids = communicator.gathered(imageIds)
    precondition(
      !gradientThroughNegatives || ids.count == own,
      "the gradient through negatives needs all pairs in one process")
    let comparedTexts = gradientThroughNegatives ? texts : Variable(allTexts.all)
    let comparedImages = gradientThroughNegatives ? images : Variable(allImages.all)
    let imageToText = images.product(comparedTexts, .secondTransposed)
      .maximumOfRows(inGroupsOf: queries).divided(by: temperature)
    let textToImage = comparedImages.product(texts, .secondTransposed)
      .maximumOfRows(inGroupsOf: queries).transposed().divided(by: temperature)
    let targets = targets(ids: ids, own: own, offset: allTexts.offset)
    let loss =
      (imageToText.crossEntropy(targets: targets) + textToImage.crossEntropy(targets: targets))
      * 0.5
    return Result(
      loss: loss, imageToText: imageToText.value, textToImage: textToImage.value, ids: ids,
      offset: allTexts.offset)
  }

  /// `[own, all]`: `1 − s` spread evenly over the pairs of the same image, and `s / all` everywhere.
  private func targets(ids: [Int64], own: Int, offset: Int) -> Tensor {
    var counts: [Int64: Float] = [:]
    for id in ids { counts[id, default: 0] += 1 }
    let everywhere = labelSmoothing / Float(ids.count)
    let values = (offset..<offset + own).flatMap { row in
      ids.map { id in
        everywhere + (id == ids[row] ? (1 - labelSmoothing) / (counts[id] ?? 1) : 0)
      }
    }
    return Tensor(values, shape: [own, ids.count])
  }
}
