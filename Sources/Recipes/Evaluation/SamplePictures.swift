import Autograd
import Datasets
import Files
import Foundation
import Reporting
import Tensors
import Training

/// Chooses a few held-out pictures, the same at every validation, and asks the model what it sees.
struct SamplePictures {
  let tower: VisionTower
  let data: RunData
  /// The most that are chosen.
  let count: Int
  /// Whether the pictures themselves are wanted beside the captions.
  let showsPixels: Bool
  /// Captions of features `[pictures, tokens, width]`; nil where the model does not speak.
  let caption: ((Variable) throws -> [String])?

  /// The longest side of a picture that is shown.
  static let maximumSide = 224
  /// The most captions of a picture that are shown.
  private static let maximumTruths = 5

  private var speaks: Bool { caption != nil }

  /// Pictures whose content cannot be read are left out: the validation has named them.
  func run(on dataset: any CaptionSource) throws -> [SamplePicture] {
    guard count > 0, speaks || showsPixels else { return [] }
    let images = ImagesOnce(dataset)
    let content = try data.evaluationContent(dataset, tower: tower)
    var pictures: [SamplePicture] = []
    var values: [Float] = []
    for image in SamplePictures.spread(count, over: images.count) {
      let sample = images.sample(at: image, seed: 0, epoch: 0)
      guard let own = try SamplePictures.values(of: sample, content, images) else { continue }
      // Its captions may be damaged although the picture is sound.
      guard let record = try SamplePictures.record(image, of: dataset) else { continue }
      var picture = SamplePicture(
        path: FileName.displayed(record.listedPath),
        truth: Array(record.captions.prefix(Self.maximumTruths)))
      if showsPixels { try show(image, of: images, in: &picture) }
      pictures.append(picture)
      if speaks { values += own }
    }
    if let caption, !pictures.isEmpty {
      let shape = [pictures.count] + content.shape
      let features = Recording.disabled { tower.features(content: Tensor(values, shape: shape)) }
      for (index, text) in try caption(features).enumerated() { pictures[index].caption = text }
    }
    return pictures
  }

  /// Places at even distances, since lists are often sorted.
  static func spread(_ count: Int, over total: Int) -> [Int] {
    let count = min(count, total)
    return (0..<count).map { $0 * total / count }
  }

  /// Nil where the captions could not be read.
  /// - Throws: `DatasetError.systemFailure`.
  private static func record(
    _ image: Int, of dataset: any CaptionSource
  ) throws -> CaptionRecord? {
    do {
      return try dataset.record(at: image)
    } catch let error as DatasetError where error.isSystemFailure {
      throw error
    } catch {
      return nil
    }
  }

  /// Nil where the picture could not be read.
  /// - Throws: Where the content is not fit to be used at all, or the system failed.
  private static func values(
    of sample: CaptionSample, _ content: any SampleContent, _ images: ImagesOnce
  ) throws -> [Float]? {
    // Nothing is drawn for an evaluation's content.
    var random = RandomStream(Philox(seed: 0, stream: 0), site: 0, sample: 0)
    var values = [Float](repeating: 0, count: content.valueCount)
    do {
      try values.withUnsafeMutableBufferPointer {
        try content.write(sample, of: images, using: &random, into: $0)
      }
      return values
    } catch let failure as ContentFailure {
      throw failure.error
    } catch let error as DatasetError where error.isSystemFailure {
      throw error
    } catch {
      return nil
    }
  }

  /// The picture from its file, since a batch may hold features in place of pixels.
  private func show(_ image: Int, of images: ImagesOnce, in picture: inout SamplePicture) throws {
    do {
      let bytes = try images.imageBytes(at: image, limit: data.decoder.maximumFileSize)
      let small = try data.decoder.decode(bytes: bytes).fitted(into: Self.maximumSide)
      picture.encoded = EncodedPicture(
        width: small.width, height: small.height, png: try small.png())
    } catch let error as DatasetError where error.isSystemFailure {
      throw error
    } catch {
      picture.problem = error.localizedDescription
    }
  }
}

extension RGBImage {
  /// The picture in its proportions with no side above `maximumSide`; small ones stay as they are.
  func fitted(into maximumSide: Int) -> RGBImage {
    let longest = max(width, height)
    guard longest > maximumSide else { return self }
    return resized(
      to: ImageSize(
        width: max(1, width * maximumSide / longest), height: max(1, height * maximumSide / longest)
      ))
  }
}
