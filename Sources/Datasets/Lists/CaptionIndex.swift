import Files

/// All records of a data set, in order of first appearance, stored compactly.
struct CaptionIndex: Sendable {
  /// The path of each image as listed, by its bytes, `[images]`.
  let paths: StringTable
  /// The dense number of each image, `[images]`.
  let imageIds: [Int64]
  /// The `image_id` of each image where one was given, `[images]`; empty where none was.
  private let givenIds: [String?]
  /// All captions, in the order of the list.
  private let captions: StringTable
  /// The places in `captions` of each image's captions, image after image.
  private let captionPlaces: [UInt32]
  /// Where each image's places begin, `[images + 1]`.
  private let captionOffsets: [Int]

  var imageCount: Int { paths.count }
  var captionCount: Int { captions.count }

  /// The captions of one image, as indices for ``caption(at:)``.
  func captionRange(ofImage image: Int) -> Range<Int> {
    captionOffsets[image]..<captionOffsets[image + 1]
  }

  func givenId(ofImage image: Int) -> String? { givenIds.isEmpty ? nil : givenIds[image] }

  func caption(at index: Int) -> String { captions[Int(captionPlaces[index])] }

  /// The image that a caption belongs to.
  func image(ofCaption index: Int) -> Int { captionOffsets.rangeIndex(of: index) }
}

extension CaptionIndex {
  /// Collects records. Entries with the same path, byte for byte, are one image with several
  /// captions.
  struct Builder {
    private var paths = StringTable()
    private var captions = StringTable()
    private var imageNumbers: [NameKey: Int] = [:]
    private var explicitIds: [String?] = []
    private var imageOfCaption: [UInt32] = []

    /// Adds an entry of a list.
    ///
    /// - Parameter imageId: The entry's own `image_id`, if it has one.
    /// - Throws: `FieldProblem` where an earlier entry gave the same image another `image_id`.
    mutating func add(path: String, captions newCaptions: [String], imageId: String?) throws {
      let image: Int
      if let known = imageNumbers[NameKey(path)] {
        image = known
        if let imageId, let earlier = explicitIds[image], NameKey(earlier) != NameKey(imageId) {
          throw FieldProblem(
            "image_id", "is \(imageId), but an earlier record of \(path) has \(earlier)")
        }
        explicitIds[image] = imageId ?? explicitIds[image]
      } else {
        image = paths.count
        paths.append(name: path)
        imageNumbers[NameKey(path)] = image
        explicitIds.append(imageId)
      }
      try DatasetError.checkSampleCount(captions.count + newCaptions.count)
      for caption in newCaptions {
        captions.append(caption)
        imageOfCaption.append(UInt32(image))
      }
    }

    func build() -> CaptionIndex {
      var counts = [Int](repeating: 0, count: paths.count)
      for image in imageOfCaption { counts[Int(image)] += 1 }
      let offsets = counts.starts
      var next = offsets
      var places = [UInt32](repeating: 0, count: captions.count)
      for (caption, image) in imageOfCaption.enumerated() {
        places[next[Int(image)]] = UInt32(caption)
        next[Int(image)] += 1
      }
      return CaptionIndex(
        paths: paths, imageIds: denseIds(),
        givenIds: explicitIds.contains { $0 != nil } ? explicitIds : [],
        captions: captions, captionPlaces: places, captionOffsets: offsets)
    }

    /// Numbers in order of first appearance; an image without its own id is known by its path.
    private func denseIds() -> [Int64] {
      var numbers: [NameKey: Int64] = [:]
      var next: Int64 = 0
      return explicitIds.map { explicit in
        if let explicit, let number = numbers[NameKey(explicit)] { return number }
        defer { next += 1 }
        if let explicit { numbers[NameKey(explicit)] = next }
        return next
      }
    }
  }
}
