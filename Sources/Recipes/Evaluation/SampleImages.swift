import Autograd
import Datasets
import Files
import Foundation
import Reporting
import Tensors
import Training

/// A few images of a data set.
enum SampleImages {
  /// The longest side of an image that is shown.
  static let maximumSide = 224
  /// The most captions of an image that are shown.
  fileprivate static let maximumTruths = 5

  /// Places at even distances, since lists are often sorted.
  static func spread(_ count: Int, over total: Int) -> [Int] {
    let count = min(count, total)
    return (0..<count).map { $0 * total / count }
  }
}

extension ImageTextRecipe {
  /// Chooses a few held-out images, the same at every validation, and asks the model what it sees. Images
  /// whose content cannot be read are left out: the validation has named them.
  /// - Parameter caption: Captions of features `[images, tokens, width]`; nil where the model does not speak.
  func sampleImages(
    of dataset: any CaptionSource, caption: ((Variable) throws -> [String])?
  ) throws -> [SampleImage] {
    let log = configuration.log
    guard log.images > 0, caption != nil || log.tensorBoard else { return [] }
    let once = ImagesOnce(dataset)
    let content = try data.evaluationContent(dataset, tower: tower)
    var images: [SampleImage] = []
    var values: [Float] = []
    for number in SampleImages.spread(log.images, over: once.count) {
      let sample = once.sample(at: number, seed: 0, epoch: 0)
      // Its captions may be damaged although the image is sound.
      guard let own = try readable({ try contentValues(of: sample, content, once) }),
        let record = try readable({ try dataset.record(at: number) })
      else { continue }
      var image = SampleImage(
        path: FileName.displayed(record.listedPath),
        truth: Array(record.captions.prefix(SampleImages.maximumTruths)))
      if log.tensorBoard { try show(number, of: once, in: &image) }
      images.append(image)
      if caption != nil { values += own }
    }
    if let caption, !images.isEmpty {
      let shape = [images.count] + content.shape
      let features = withoutGradients { tower.features(content: Tensor(values, shape: shape)) }
      for (index, text) in try caption(features).enumerated() { images[index].caption = text }
    }
    return images
  }

  private func contentValues(
    of sample: CaptionSample, _ content: any SampleContent, _ images: ImagesOnce
  ) throws -> [Float] {
    // Nothing is drawn for an evaluation's content.
    var random = RandomStream(Philox(seed: 0, stream: 0), site: 0, sample: 0)
    var values = [Float](repeating: 0, count: content.valueCount)
    try values.withUnsafeMutableBufferPointer {
      try content.write(sample, of: images, using: &random, into: $0)
    }
    return values
  }

  /// What was read; nil where that cannot be of a single image.
  /// - Throws: Where the content is not fit to be used at all, or the system failed.
  private func readable<Value>(_ read: () throws -> Value) throws -> Value? {
    do {
      return try read()
    } catch let failure as ContentFailure {
      throw failure.error
    } catch let error as DatasetError where error.isSystemFailure {
      throw error
    } catch {
      return nil
    }
  }

  /// The image from its file, since a batch may hold features in place of pixels.
  private func show(_ number: Int, of images: ImagesOnce, in image: inout SampleImage) throws {
    do {
      let bytes = try images.imageBytes(ofImage: number, limit: data.decoder.maximumFileSize)
      let small = try data.decoder.decode(bytes: bytes).fitted(into: SampleImages.maximumSide)
      image.encoded = EncodedImage(
        width: small.width, height: small.height, png: try small.png())
    } catch let error as DatasetError where error.isSystemFailure {
      throw error
    } catch {
      image.problem = ImageError.reason(of: error)
    }
  }
}

extension RGBImage {
  /// The image in its proportions with no side above `maximumSide`; small ones stay as they are.
  func fitted(into maximumSide: Int) -> RGBImage {
    let longest = max(width, height)
    guard longest > maximumSide else { return self }
    return resized(
      to: ImageSize(
        width: max(1, width * maximumSide / longest), height: max(1, height * maximumSide / longest)
      ))
  }
}
