import Autograd
import Datasets
import Files
import Foundation
import Tensors
import Training

/// Reads single pictures as evaluation does. Those that cannot be read are passed over and named.
struct PictureReader {
  let decoder: ImageDecoder
  let transform: ImageTransform
  /// Is told of each picture that is passed over.
  let report: (String) -> Void

  /// Pictures that go through the encoder at once.
  static let picturesAtOnce = 16

  /// The pictures that could be read.
  struct Pictures {
    /// The places of the pictures among the paths asked for.
    var places: [Int]
    /// `[pictures, 3, height, width]`.
    var pixels: Tensor
  }

  /// - Returns: Nil where none can be read.
  /// - Throws: `DatasetError.systemFailure`, which is no matter of one picture.
  func pictures(_ paths: [String]) throws -> Pictures? {
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
    return Pictures(
      places: places, pixels: Tensor(values, shape: [places.count, 3, size.height, size.width]))
  }
}

extension ImageTextRecipe {
  /// Calls `body` with the features of every readable picture, some at a time, in their order.
  /// - Parameters:
  ///   - atOnce: Pictures that go through the models together; nil for the usual number.
  ///   - body: Gets the places among `paths` and the features, `[pictures, tokens, width]`.
  /// - Returns: How many were passed over.
  /// - Throws: `RunError.noPictures` where none can be read, `DatasetError.systemFailure` where the
  ///   system failed, ``Interrupted``, or what `body` throws.
  func eachBatch(
    of paths: [String], atOnce: Int? = nil, report: @escaping (String) -> Void,
    _ body: (_ places: [Int], _ features: Variable) throws -> Void
  ) throws -> Int {
    let reader = PictureReader(
      decoder: data.decoder, transform: data.plain(for: tower), report: report)
    var readCount = 0
    let count = atOnce ?? PictureReader.picturesAtOnce
    for start in stride(from: 0, to: paths.count, by: count) {
      if let signal = StopRequest.signal { throw Interrupted(signal: signal) }
      let end = min(paths.count, start + count)
      guard let pictures = try reader.pictures(Array(paths[start..<end])) else { continue }
      readCount += pictures.places.count
      let features = tower.features(pictures.pixels)
      if features.value.hasNonFinite { throw model.notFinite("the image encoder's features are") }
      try body(pictures.places.map { start + $0 }, features)
    }
    if readCount == 0, !paths.isEmpty { throw RunError.noPictures(count: paths.count) }
    return paths.count - readCount
  }
}
