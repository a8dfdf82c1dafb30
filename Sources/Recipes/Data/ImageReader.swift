import Autograd
import Datasets
import Files
import Foundation
import Reporting
import Tensors
import Training

/// Reads single images as evaluation does. Those that cannot be read are passed over and named.
struct ImageReader {
  let decoder: ImageDecoder
  let transform: ImageTransform
  /// Is told of each image that is passed over.
  let report: (String) -> Void

  /// Images that go through the encoder at once.
  static let imagesAtOnce = 16

  /// - Returns: The places among the paths of the images that can be read, and their pixels
  ///   `[images, 3, height, width]`; nil where none can be.
  /// - Throws: `DatasetError.systemFailure`, which is no matter of one image.
  func images(_ paths: [String]) throws -> (places: [Int], pixels: Tensor)? {
    var places: [Int] = []
    var values: [Float] = []
    // Evaluation draws nothing.
    var random = RandomStream(Philox(seed: 0, stream: 0), site: 0)
    for (place, path) in paths.enumerated() {
      do {
        let image = try decoder.decode(path: FilePath.absolute(path))
        values += transform.apply(to: image, using: &random)
        places.append(place)
      } catch let error as DatasetError where error.isSystemFailure {
        throw error
      } catch {
        report("skipped \(error.localizedDescription)")
      }
    }
    guard !places.isEmpty else { return nil }
    let size = transform.size
    return (places, Tensor(values, shape: [places.count, 3, size.height, size.width]))
  }
}

extension ImageTextRecipe {
  /// Calls `body` with the features of every readable image, some at a time, in their order.
  /// - Parameters:
  ///   - atOnce: Images that go through the models together; nil for the usual number.
  ///   - showsProgress: Whether it is said how far the work has come.
  ///   - body: Gets the places among `paths` and the features, `[images, tokens, width]`.
  /// - Returns: How many were passed over.
  /// - Throws: `RunError.noImages` where none can be read, `DatasetError.systemFailure` where the
  ///   system failed, ``Interrupted``, or what `body` throws.
  func eachBatch(
    of paths: [String], atOnce: Int? = nil, showsProgress: Bool = true,
    report: @escaping (String) -> Void,
    _ body: (_ places: [Int], _ features: Variable) throws -> Void
  ) throws -> Int {
    let reader = ImageReader(
      decoder: data.decoder, transform: data.plain(for: tower), report: report)
    var readCount = 0
    let count = atOnce ?? ImageReader.imagesAtOnce
    let progress = showsProgress ? WorkProgress(paths.count, "images") : nil
    defer { progress?.finish() }
    for start in stride(from: 0, to: paths.count, by: count) {
      try StopRequest.check()
      let end = min(paths.count, start + count)
      defer { progress?.advance(to: end) }
      guard let images = try reader.images(Array(paths[start..<end])) else { continue }
      readCount += images.places.count
      let features = tower.features(images.pixels)
      if features.value.hasNonFinite { throw model.notFinite("the image encoder's features are") }
      try body(images.places.map { start + $0 }, features)
    }
    if readCount == 0, !paths.isEmpty { throw RunError.noImages(count: paths.count) }
    return paths.count - readCount
  }
}
