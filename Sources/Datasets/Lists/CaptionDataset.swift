import Files
import Tensors

/// Pairs of images and captions from a list (JSON, JSON lines, CSV, TSV) or a folder of images.
public final class CaptionDataset: CaptionSource {
  public let captionPolicy: CaptionPolicy
  /// The folder against which listed paths are resolved.
  public let imageFolder: String
  private let index: CaptionIndex

  public let findings: [SourceFinding]

  /// - Parameters:
  ///   - location: A list, or a folder of images with `.txt` files beside them; paths are as
  ///     `FileName` has them.
  ///   - imageFolder: The folder that a list's paths are relative to; by default the list's own.
  ///   - isHeldOut: Whether the pairs are held out, by which Karpathy's splits are chosen.
  ///   - mayBeEmpty: Whether a source without pairs is one; for checks.
  /// - Throws: ``DatasetError``.
  public init(
    path location: String, imageFolder: String? = nil,
    captions captionPolicy: CaptionPolicy = .draw, isHeldOut: Bool = false,
    mayBeEmpty: Bool = false
  ) throws {
    func absolute(_ path: String) -> String {
      FilePath.withoutEndingSlashes(FilePath.absolute(path))
    }
    let path = absolute(location)
    var builder = CaptionIndex.Builder()
    if try SourceLocation.kind(of: path) == .folder {
      findings = try FolderReader(folder: path).read(into: &builder)
      self.imageFolder = path
    } else {
      findings = try CaptionList(path, for: isHeldOut ? .validation : .training).read { record in
        if !record.captions.isEmpty { try record.add(to: &builder) }
      }
      self.imageFolder = imageFolder.map(absolute) ?? FilePath.folder(of: path)
    }
    index = builder.build()
    self.captionPolicy = captionPolicy
    guard index.imageCount > 0 || mayBeEmpty else {
      throw DatasetError.noSamples(file: path, findings)
    }
  }

  /// The number of samples.
  public var count: Int { captionPolicy == .draw ? index.imageCount : index.captionCount }
  /// The number of images.
  public var imageCount: Int { index.imageCount }
  /// The number of pairs of image and caption.
  public var pairCount: Int? { index.captionCount }

  /// An image with all its captions.
  /// - Precondition: `image` is in `0..<imageCount`.
  public func record(at image: Int) -> CaptionRecord {
    let listed = index.paths.name(at: image)
    return CaptionRecord(
      imagePath: resolve(listed), listedPath: listed,
      captions: index.captionRange(ofImage: image).map(index.caption(at:)),
      imageId: index.imageIds[image], givenId: index.givenId(ofImage: image))
  }

  public func sample(at number: Int, seed: UInt64, epoch: Int) -> CaptionSample {
    var (image, caption) = (number, number)
    switch captionPolicy {
    case .all: image = index.image(ofCaption: number)
    case .draw:
      let range = index.captionRange(ofImage: number)
      caption =
        range.lowerBound
        + RandomStream.caption(of: range.count, sample: number, seed: seed, epoch: epoch)
    }
    return CaptionSample(
      index: number, image: image, imageId: index.imageIds[image],
      caption: index.caption(at: caption), path: resolve(index.paths.name(at: image)))
  }

  public func imageBytes(ofImage image: Int, limit: Int) throws -> [UInt8] {
    try ImageDecoder.contents(of: resolve(index.paths.name(at: image)), limit: limit)
  }

  // What a sample is depends on the policy as well: a place in one order means nothing in another.
  public func fingerprint() -> String { "\(captionPolicy.rawValue):\(digest())" }

  /// SHA-256, in hexadecimal, of what the data set says: for each image its path as listed, the
  /// size of its file (-1 where there is none), its number and its captions.
  ///
  /// Moving list and images together does not change it, nor do pixels: it is there to notice that
  /// a run goes on with other data, at the price of one look at each file's size.
  func digest() -> String {
    var hash = SHA256()
    hash.update(index.imageCount)
    for image in 0..<index.imageCount {
      let record = record(at: image)
      hash.update(size(of: record.imagePath))
      hash.update(Int(record.imageId))
      hash.update(record.captions.count)
      let path = index.paths.bytes(at: image)
      hash.update(path.count)
      hash.update(path)
      for text in record.captions {
        hash.update(text.utf8.count)
        hash.update(text)
      }
    }
    return hash.finalize().hexadecimal
  }

  /// The listed paths and the sizes of the files.
  public func imageFingerprint() -> String {
    var hash = SHA256()
    for image in 0..<index.imageCount {
      let path = index.paths.bytes(at: image)
      hash.update("\(path.count):")
      hash.update(path)
      hash.update("\(size(of: resolve(index.paths.name(at: image))));")
    }
    return "files:\(hash.finalize().hexadecimal)"
  }

  /// -1 where there is no file, and where the system fails: reading the image will say so.
  private func size(of path: String) -> Int { (try? BoundedFile.size(of: path)) ?? -1 }

  private func resolve(_ path: String) -> String {
    let path = FilePath.withHome(path)
    return FilePath.isAbsolute(path) ? path : FilePath.joined(imageFolder, path)
  }
}
